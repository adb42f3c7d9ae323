// The desk's live parts. Every page works without this: it only shows sooner what "Refresh" shows.
//
// A page that wants news has an element with data-stream, the address of server-sent events:
//   told    the HTML of a new row for the page's table
//   again   the HTML of a row that became another
//   behind  too much was missed: the page is loaded again
//   alerts  "VERSION WAITING": the state of the alerts
// Pages without one listen for alerts only. A page with an element "diary" listens for everything:
// its own script hears "desk-news" from the document. Rows come escaped from our own server.
const KEPT_ROWS = 200;
const SOUND_KEY = "desk-sound";
const source = document.querySelector("[data-desk]");
const isLive = source?.dataset.desk === "live";
const table = isLive ? document.querySelector("main table tbody") : null;
const title = document.title;
let paused = false;
let held = [];
let version = source?.dataset.version ?? null;
let waiting = null;

// What a screen reader says without being asked.
const spoken = document.createElement("div");
spoken.className = "govuk-visually-hidden";
spoken.setAttribute("role", "status");
spoken.setAttribute("aria-live", "polite");
document.body.append(spoken);

function say(text) {
  spoken.textContent = text;
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "govuk-button govuk-button--secondary";
  made.textContent = label;
  made.addEventListener("click", () => act(made));
  return made;
}

function rowOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("tr");
}

function strike(id) {
  const cell = id && document.getElementById(id)?.cells[3];
  if (!cell || cell.querySelector("s")) return;
  const struck = document.createElement("s");
  struck.append(...cell.childNodes);
  const tag = document.createElement("strong");
  tag.className = "govuk-tag govuk-tag--grey";
  tag.textContent = "Corrected";
  cell.append(struck, " ", tag);
}

function insert(html, isNew) {
  const row = rowOf(html);
  if (!row) return null;
  const known = row.id && document.getElementById(row.id);
  if (known) known.replaceWith(row);
  else if (isNew) table.prepend(row);
  strike(row.dataset.supersedes);
  while (table.rows.length > KEPT_ROWS) table.deleteRow(-1);
  return row;
}

function take(event, isNew) {
  if (!table) return;
  if (paused) {
    held.push([event.data, isNew]);
    if (held.length > KEPT_ROWS) held.shift();
    pause.textContent = `Go on (${held.length} new)`;
    return;
  }
  const row = insert(event.data, isNew);
  if (row && isNew) say(`New: ${row.cells[1].textContent} ${row.cells[2].textContent}`);
}

const pause = button("Pause", (made) => {
  paused = !paused;
  made.setAttribute("aria-pressed", String(paused));
  made.textContent = paused ? "Go on" : "Pause";
  if (paused) return;
  for (const [html, isNew] of held) insert(html, isNew);
  held = [];
});

// Two short tones. Browsers refuse sounds until somebody has used the page: then the button is there
// to be pressed, and the first key or click on the page will do, too.
let context = null;
let soundOn = localStorage.getItem(SOUND_KEY) === "on";

function mayRing() {
  return soundOn && context?.state === "running";
}

async function ring() {
  if (!mayRing()) return;
  for (const [at, hertz] of [[0, 880], [0.25, 660]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.2, context.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.2);
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.2);
  }
}

async function wake() {
  context ??= new AudioContext();
  await context.resume();
  showSound();
}

const soundButton = button("", async () => {
  soundOn = !mayRing();
  localStorage.setItem(SOUND_KEY, soundOn ? "on" : "off");
  if (soundOn) await wake();
  showSound();
  ring();
});

function showSound() {
  soundButton.textContent = mayRing() ? "Turn sound off" : "Turn sound on";
}

if (soundOn) {
  for (const kind of ["pointerdown", "keydown"])
    addEventListener(kind, (event) => event.target !== soundButton && wake().catch(() => {}), {
      once: true,
    });
}
showSound();

// The alerts as they are now, in place of those on the page. What is being used stays where it is.
async function refreshAlerts() {
  const old = document.querySelector("[data-desk-alerts]");
  if (!old) return;
  const answer = await fetch("/alerts?part=list", { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-desk-alerts]");
  if (!fresh) return;
  const focused = old.contains(document.activeElement)
    ? document.activeElement.getAttribute("aria-describedby")
    : null;
  old.replaceWith(document.adoptNode(fresh));
  if (focused) fresh.querySelector(`button[aria-describedby="${CSS.escape(focused)}"]`)?.focus();
}

function takeAlerts(event) {
  const [now, count] = event.data.split(" ");
  const n = Number(count);
  for (const shown of document.querySelectorAll('[data-site-count="/alerts"]')) {
    shown.hidden = n === 0;
    shown.firstElementChild.textContent = count;
  }
  document.title = n > 0 ? `(${n}) ${title}` : title;
  if (waiting !== null && n > waiting) {
    say(n === 1 ? "A new alert is waiting." : `A new alert: ${n} alerts are waiting.`);
    ring();
  }
  waiting = n;
  if (version !== null && now !== version) refreshAlerts().catch(() => {});
  version = now;
}

let stream = null;
let last = null; // id of the last event: 20 bits of the alerts' state behind the change
let lost = false;

// Where the stream goes on. The browser says the last id itself while it tries again by itself.
function address() {
  const other = document.getElementById("diary") ? "/live/events" : "/live/events?only=alerts";
  const url = new URL(source?.dataset.stream ?? other, location.href);
  if (last) url.searchParams.set("after", String(BigInt(last) >> 20n));
  return url;
}

function on(word, act) {
  stream.addEventListener(word, (event) => {
    last = event.lastEventId;
    act(event);
    document.dispatchEvent(new Event("desk-news"));
  });
}

function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource(address());
  on("told", (event) => take(event, true));
  on("again", (event) => take(event, false));
  on("behind", () => isLive && location.reload());
  on("alerts", takeAlerts);
  stream.addEventListener("open", () => {
    if (lost) say("Connected again.");
    lost = false;
  });
  stream.addEventListener("error", (event) => {
    if (!lost) say("The connection is lost. Trying again.");
    lost = true;
    // Refused: somebody has to sign in, or too many listen.
    if (event.target.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
  });
}

// A browser opens six connections to a server, for all of its tabs: pages that only show how many
// alerts wait give theirs back while nobody sees them.
function listenWhileSeen() {
  if (document.visibilityState === "visible") listen();
  else stream?.close();
}

if (source) {
  const controls = document.createElement("div");
  controls.className = "govuk-button-group";
  if (isLive) controls.append(pause);
  controls.append(soundButton);
  source.append(controls);
}
if (document.querySelector('[data-site-count="/alerts"]')) {
  if (source) {
    listen();
  } else {
    document.addEventListener("visibilitychange", listenWhileSeen);
    listenWhileSeen();
  }
}
