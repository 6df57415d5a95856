// Times in the viewer's zone; without this they are UTC. The absolute time stays in the title.
function localise(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    if (!Number.isNaN(time.getTime())) {
      element.textContent = time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    }
  }
}
localise(document);

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
      localise(results);
      document.getElementById(form.dataset.follow).replaceWith(results);
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
