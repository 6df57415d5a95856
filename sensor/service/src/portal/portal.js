// The host lays out days and hours by the zone that it is told here, from the next page on; told none, by UTC.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const lasts = zone === "UTC" ? 0 : 31_536_000;
const secure = location.protocol === "https:" ? "; Secure" : "";
document.cookie = `vpn-sensor-zone=${zone}; Path=/; SameSite=Strict; Max-Age=${lasts}${secure}`;

// Times in the viewer's zone; without this they are UTC. The absolute time stays in the title.
function localise(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    if (!Number.isNaN(time.getTime())) {
      element.textContent = time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    }
  }
  // The ends of a plot's axis: the hour, beside the first with its zone.
  for (const element of root.querySelectorAll("text[data-unix]")) {
    const time = new Date(element.dataset.unix * 1000);
    element.firstChild.data = time.toLocaleTimeString(undefined, { timeStyle: "short" });
    const named = element.querySelector("tspan");
    if (named) named.textContent = ` ${zone}`;
  }
}
localise(document);

// Paper has no hover, by which a time says its zone.
for (const element of document.querySelectorAll("[data-zone]")) {
  element.textContent = `Times are those of ${zone}.`;
  element.hidden = false;
}

// A list follows what is typed into its box: the same page is asked for, and its results are shown in place of these.
for (const form of document.querySelectorAll("form[data-follow]")) {
  const input = form.querySelector("input[type=search]");
  let waiting;
  let asked = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const number = ++asked;
      const address = `${form.getAttribute("action")}?q=${encodeURIComponent(input.value)}`;
      const answer = await fetch(address, { redirect: "error" }).catch(() => null);
      // Signed out, or busy: the button says so.
      if (!answer?.ok || number !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const results = page.getElementById(form.dataset.follow);
      if (!results || number !== asked) return;
      renew(document.getElementById(form.dataset.follow), results);
      // How many there are is read out; the table itself is not.
      const count = document.getElementById(`${form.dataset.follow}-count`);
      const said = page.getElementById(count.id)?.textContent ?? "";
      if (count.textContent !== said) count.textContent = said;
      history.replaceState(null, "", address);
    }, 200);
  });
}

// One box ticks all of a form's.
for (const box of document.querySelectorAll("input[data-all]")) {
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const other of box.form.querySelectorAll(`input[name="${box.dataset.all}"]`)) other.checked = box.checked;
  });
}

// What happens now appears by itself: parts with an id below `data-live` are asked for there every `data-every` seconds, and
// replaced where they changed. All else stays as its reader left it, and so does the focus.
const LEFT_ALONE_MS = 600_000;
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "wheel"]) {
  addEventListener(sign, () => (touched = Date.now()), { passive: true });
}

function renew(part, fresh) {
  localise(fresh);
  if (part.innerHTML === fresh.innerHTML) return;
  // A link is the same by its address, a region that is scrolled by its name.
  const name = (element) => element.getAttribute("href") ?? element.getAttribute("aria-label");
  const all = (selector) => [...part.querySelectorAll(selector)];
  const focused = part.contains(document.activeElement) ? name(document.activeElement) : null;
  const scrolled = new Map(all("[role=region]").map((region) => [name(region), region.scrollLeft]));
  part.replaceChildren(...fresh.childNodes);
  for (const region of all("[role=region]")) region.scrollLeft = scrolled.get(name(region)) ?? 0;
  if (focused !== null) {
    const same = all("a[href], [tabindex]").find((element) => name(element) === focused);
    if (!same) part.tabIndex = -1;
    (same ?? part).focus({ preventScroll: true });
  }
}

for (const live of document.querySelectorAll("[data-live]")) {
  const said = document.querySelector("[data-live-said]");
  const say = (text) => {
    if (said.textContent !== text) said.textContent = text;
    said.hidden = !text;
  };
  const look = async () => {
    // A screen that was left is signed out as any other.
    if (Date.now() - touched > LEFT_ALONE_MS) {
      say("Not up to date: nobody touched this page for ten minutes. Press a key to go on.");
    } else if (!document.hidden) {
      const answer = await fetch(live.dataset.live, { redirect: "error" }).catch(() => null);
      const text = answer?.ok ? await answer.text().catch(() => null) : null;
      if (text === null) {
        say("Not up to date: the portal does not answer, or you are signed out. Load the page again.");
      } else {
        say("");
        const page = new DOMParser().parseFromString(text, "text/html");
        for (const part of live.querySelectorAll(":scope > [id]")) {
          const fresh = page.getElementById(part.id);
          if (fresh) renew(part, fresh);
        }
      }
    }
    setTimeout(look, live.dataset.every * 1000);
  };
  setTimeout(look, live.dataset.every * 1000);
}
