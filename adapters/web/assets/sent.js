// What was sent moves on by itself for a while: its state is fetched again every few seconds until
// nothing is expected any more. Without this script there is the link that says Refresh.
const last = Date.now() + 10 * 60 * 1000;
const spoken = document.createElement("p");
spoken.className = "govuk-visually-hidden";
spoken.setAttribute("role", "status");
document.getElementById("sent-state").after(spoken);

function put(fresh) {
  const state = document.getElementById("sent-state");
  if (fresh.textContent === state.textContent) return;
  const at = state.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  state.replaceWith(document.adoptNode(fresh));
  // The keyboard keeps its place.
  if (at) fresh.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
  spoken.textContent = "The state changed";
}

async function refresh() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  // A redirect leads to the sign-in page.
  if (!answer.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("sent-state");
  if (!fresh) return false;
  put(fresh);
  return true;
}

for (;;) {
  const seconds = Number(document.getElementById("sent-state").dataset.refresh);
  if (!(seconds > 0) || Date.now() > last) break;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  if (document.hidden) continue;
  if (!(await refresh().catch(() => true))) break;
}
