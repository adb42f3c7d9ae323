// The gate diary moves while it is open: whenever the live stream says anything, its section is
// fetched again. Without this script there is the link that says Refresh.
const wait_ms = 300; // events come in bursts
let busy = false;
let wanted = false;

function put(fresh) {
  const section = document.getElementById("diary");
  if (!fresh || fresh.isEqualNode(section)) return;
  const at = section.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  section.replaceWith(document.adoptNode(fresh));
  // The keyboard keeps its place.
  if (at) fresh.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
  document.getElementById("diary-said").textContent = "";
  setTimeout(() => {
    document.getElementById("diary-said").textContent = "The gate diary changed";
  });
}

async function refresh() {
  const answer = await fetch(document.getElementById("diary").dataset.refresh, { cache: "no-store" });
  // A redirect leads to the sign-in page, which has no diary.
  if (!answer.ok || answer.redirected) return;
  put(new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("diary"));
}

// One fetch at a time, the last of them after the last event.
async function follow() {
  wanted = true;
  if (busy) return;
  busy = true;
  while (wanted) {
    await new Promise((done) => setTimeout(done, wait_ms));
    wanted = false;
    await refresh().catch(() => {});
  }
  busy = false;
}

document.addEventListener("desk-news", follow); // of desk.js, which holds the page's one stream

// A calendar program wants the whole address.
for (const link of document.querySelectorAll("a[data-whole-address]")) link.textContent = link.href;
