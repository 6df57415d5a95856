// Times in the viewer's zone; without this they are UTC. The absolute time stays in the title.
for (const element of document.querySelectorAll("time[datetime]")) {
  const time = new Date(element.dateTime);
  if (!Number.isNaN(time.getTime())) {
    element.textContent = time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}
