"use strict";
// A validation as it goes on: numbers and findings from the event stream, then the report.
(() => {
  const section = document.getElementById("watch");
  if (!section) return;
  const get = (id) => document.getElementById(`watch-${id}`);
  const number = new Intl.NumberFormat("en");
  const counted = (n, noun) => `${number.format(n)} ${noun}${n === 1 ? "" : "s"}`;
  const base = `/api/v1/validation/${section.dataset.dataset}`;
  const most = 200;
  let found = 0;
  let ended = false;

  const end = () => {
    if (ended) return;
    ended = true;
    location.reload();
  };
  const files = ({ done, total }) => {
    get("files").textContent = `${number.format(done)} of ${number.format(total)} files`;
    get("bar").max = Math.max(total, 1);
    get("bar").value = done;
  };
  const finding = (it) => {
    found += 1;
    const hidden = found > most ? `, the first ${most} of them` : "";
    get("count").textContent = `${number.format(found)} so far${hidden}`;
    if (found > most) return;
    const line = document.createElement("li");
    const word = document.createElement("span");
    word.className = `severity ${it.severity}`;
    word.textContent = `${{ error: "■", warning: "▲", info: "●" }[it.severity] ?? ""} ${it.severity} `;
    const rule = document.createElement("a");
    rule.href = `/rules/${it.rule}`;
    rule.textContent = it.rule;
    line.append(word, rule, ` ${it.path ?? ""}: ${it.message ?? ""}`);
    get("findings").append(line);
  };
  // Asked now and then for the place in the queue, and for everything where no stream comes through.
  const ask = async () => {
    try {
      const answer = await fetch(`${base}/status`);
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error();
      const status = await answer.json();
      if (!["pending", "processing"].includes(status.status)) { end(); return; }
      files(status.progress);
      get("state").textContent = status.status === "pending" ? "waiting" : "being validated";
      const { position, files_ahead: ahead, workers_alive: workers } = status.queue;
      get("queue").textContent = `place ${number.format(position)} in the queue, `
        + `${counted(ahead, "file")} ahead, ${counted(workers, "worker")}`;
      get("lost").hidden = true;
    } catch {
      get("lost").hidden = false;
    }
  };

  const follow = () => {
    const stream = new EventSource(`${base}/events`);
    const heard = (name, then) => stream.addEventListener(name, (event) => {
      get("lost").hidden = true;
      then(JSON.parse(event.data));
    });
    heard("progress", files);
    heard("finding", finding);
    heard("done", end);
    stream.addEventListener("error", () => { if (!ended) get("lost").hidden = false; });
  };
  follow();
  ask();
  setInterval(ask, 3000);
})();
