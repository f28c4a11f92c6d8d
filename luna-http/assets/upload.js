"use strict";
// Uploading a folder: chosen or dropped, announced whole, sent four at a time, gone on with after a break.
(() => {
  const form = document.getElementById("upload");
  if (!form) return;
  const get = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en");
  const counted = (n, noun) => `${number.format(n)} ${noun}${n === 1 ? "" : "s"}`;
  const size = (n) => (n < 1e6 ? `${number.format(Math.ceil(n / 1e3))} kB` : n < 1e9
    ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`);
  const known = new Set(form.dataset.known.split(" "));
  const [aCall, atOnce, mostShown, rowHeight, tries] = [1000, 4, 500, 28, 3];
  const replaces = form.dataset.replaces ?? null;
  let dataset = form.dataset.dataset ?? null;
  let chosen = [];
  let unknown = [];

  // Choosing.
  const isDebris = (path) => path.split("/").some((part) => part.startsWith(".") || part.startsWith("~$")
    || ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"].includes(part.toLowerCase()));
  const isUnknown = (path) => {
    const name = path.split("/").pop();
    const at = name.lastIndexOf(".");
    return at > 0 && !known.has(name.slice(at + 1).toLowerCase());
  };
  const some = (list) => list.slice(0, 5).join(", ") + (list.length > 5 ? `, and ${number.format(list.length - 5)} more` : "");

  const choose = (files) => {
    // The folder's own name is the data set's, not part of the paths in it.
    const roots = new Set(files.map((it) => it.path.split("/")[0]));
    const single = roots.size === 1 && files.every((it) => it.path.includes("/"));
    const all = files.map((it) => ({ ...it, path: single ? it.path.slice(it.path.indexOf("/") + 1) : it.path }));
    const debris = all.filter((it) => isDebris(it.path));
    chosen = all.filter((it) => !isDebris(it.path)).sort((a, b) => (a.path < b.path ? -1 : 1));
    unknown = chosen.filter((it) => isUnknown(it.path)).map((it) => it.path);
    const bytes = chosen.reduce((sum, it) => sum + it.file.size, 0);
    get("count").textContent = chosen.length
      ? `${counted(chosen.length, "file")} to send, ${size(bytes)}.` : "There is no file in it to send.";
    get("debris").hidden = !debris.length;
    get("debris").textContent = `Left out, as systems leave them behind: ${counted(debris.length, "file")} `
      + `(${some(debris.map((it) => it.path))}).`;
    get("unknown").hidden = !unknown.length;
    get("unknown-text").textContent = `${counted(unknown.length, "file")} of a kind that names no image, table or `
      + `archive (${some(unknown)}). They are judged by their content if they are sent.`;
    if (get("name") && single && !replaces) get("name").value = [...roots][0];
    get("chosen").hidden = false;
    get("send").disabled = !chosen.length;
    get("send").focus();
  };
  get("folder").addEventListener("change", (event) => {
    choose([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
  });

  // A dropped folder is walked; readers give at most 100 entries at a time.
  const walk = async (entry, into) => {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => { entry.file(done, fail); });
      into.push({ file, path: entry.fullPath.slice(1) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const entries = await new Promise((done, fail) => { reader.readEntries(done, fail); });
      if (!entries.length) return;
      for (const inner of entries) await walk(inner, into);
    }
  };
  const drop = get("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((it) => it.webkitGetAsEntry()).filter(Boolean);
    const files = [];
    try {
      for (const entry of entries) await walk(entry, files);
      choose(files);
    } catch {
      get("chosen").hidden = false;
      get("count").textContent = "The folder cannot be read; choose it with the button instead.";
    }
  });

  // The API.
  const call = async (method, path, body) => {
    const head = body ? { "Content-Type": "application/json" } : {};
    const answer = await fetch(`/api/v1/upload${path}`, { method, headers: head, body: body && JSON.stringify(body) });
    if (answer.status === 401) throw new Error("Your session has ended: sign in in another tab, then try again");
    const text = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const first = text.errors?.[0];
      throw new Error((first && `${first.pointer} ${first.detail}`) || text.detail || `The service answered ${answer.status}`);
    }
    return text;
  };
  // Files of the version before are known by their SHA-256; larger ones are sent rather than read twice.
  const [mostHashed, canHash] = [2 ** 28, Boolean(replaces && globalThis.crypto?.subtle)];
  const sha256 = async (file) => {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const announced = async ({ file, path }) => ({
    filename: path, path, content_type: file.type || "application/octet-stream", size_bytes: file.size,
    ...(canHash && file.size <= mostHashed ? { sha256: await sha256(file) } : {}),
  });
  const notIn = async (files) => {
    const paths = new Set(files.map((it) => it.path));
    const gone = [];
    let cursor = "";
    do {
      const answer = await fetch(`/api/v1/validation/${replaces}/files?limit=1000${cursor}`);
      if (!answer.ok) throw new Error("The files of the version before cannot be listed; try again");
      const page = await answer.json();
      gone.push(...page.items.map((it) => it.path).filter((path) => !paths.has(path)));
      cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : "";
    } while (cursor);
    return gone;
  };
  const start = async (list, files) => {
    const body = { dataset_name: get("name").value, description: "", files: list };
    if (replaces) {
      body.replaces = Number(replaces);
      body.remove = get("only").checked ? await notIn(files) : [];
    }
    return call("POST", "/start", body);
  };
  // Announced whole before anything is sent: whoever goes on later finds every file known.
  const announce = async (files) => {
    const targets = [];
    for (let at = 0; at === 0 || at < files.length; at += aCall) {
      const batch = files.slice(at, at + aCall);
      const list = [];
      for (const it of batch) list.push(await announced(it));
      const answer = dataset
        ? await call("POST", `/${dataset}/files`, { files: list })
        : await start(list, files);
      dataset ??= answer.dataset_id;
      history.replaceState(null, "", `/upload/${dataset}`);
      targets.push(...answer.upload_urls);
      say(`${number.format(Math.min(at + aCall, files.length))} of ${counted(files.length, "file")} announced`);
    }
    const by = new Map(targets.map((it) => [it.filename, it]));
    return files.filter((it) => by.has(it.path)).map((it) => ({ ...it, target: by.get(it.path), id: by.get(it.path).file_id }));
  };
  // What is missing of an upload that was broken off, among the files at hand.
  const missing = async (files) => {
    const at = new Map(files.map((it) => [it.path, it]));
    const work = [];
    let [cursor, absent, received] = ["", 0, 0];
    do {
      const answer = await call("GET", `/${dataset}${cursor && `?cursor=${encodeURIComponent(cursor)}`}`);
      received = answer.received;
      for (const it of answer.files.items) {
        const own = at.get(it.path);
        if (own && own.file.size === it.size_bytes) work.push({ ...own, id: it.file_id, from: it.received_bytes });
        else absent += 1;
      }
      cursor = answer.files.next_cursor ?? "";
    } while (cursor);
    return { work, absent, received };
  };

  // Sending.
  let last = 0;
  const say = (text) => { get("progress-text").textContent = text; };
  const state = { all: 0, done: 0, bytes: 0, sent: 0, failed: [] };
  const show = (now) => {
    get("bar").max = Math.max(state.bytes, 1);
    get("bar").value = state.sent;
    if (!now && Date.now() - last < 1000) return;
    last = Date.now();
    say(`${number.format(state.done)} of ${counted(state.all, "file")} sent, ${size(state.sent)} of ${size(state.bytes)}`);
  };
  // The list of files: all of a few, else only those in sight, between two fillers.
  const list = { work: [], first: 0, last: 0 };
  const row = (it, at) => {
    const line = document.createElement("li");
    line.textContent = `${it.path}: ${it.said}`;
    line.ariaSetSize = list.work.length;
    line.ariaPosInSet = at + 1;
    it.line = line;
    return line;
  };
  const filler = (rows) => {
    const line = document.createElement("li");
    line.ariaHidden = true;
    line.className = "filler";
    line.style.height = `${rows * rowHeight}px`;
    return line;
  };
  const drawList = () => {
    const [box, all] = [get("files"), list.work.length];
    const isWindow = all > mostShown;
    box.classList.toggle("window", isWindow);
    const seen = Math.ceil(box.clientHeight / rowHeight);
    list.first = isWindow ? Math.max(0, Math.floor(box.scrollTop / rowHeight) - seen) : 0;
    list.last = isWindow ? Math.min(all, list.first + 3 * seen) : all;
    list.work.forEach((it) => { it.line = null; });
    const rows = list.work.slice(list.first, list.last).map((it, at) => row(it, list.first + at));
    box.replaceChildren(...(isWindow ? [filler(list.first), ...rows, filler(all - list.last)] : rows));
  };
  get("files").addEventListener("scroll", () => {
    const at = Math.floor(get("files").scrollTop / rowHeight);
    const seen = Math.ceil(get("files").clientHeight / rowHeight);
    if (list.work.length > mostShown && (at < list.first || at + seen > list.last)) drawList();
  });
  const line = (it, text) => {
    it.said = text;
    if (it.line) it.line.textContent = `${it.path}: ${text}`;
  };

  const request = (url, method, headers, body, heard) => new Promise((done, fail) => {
    const it = new XMLHttpRequest();
    it.open(method, url);
    Object.entries(headers ?? {}).forEach(([name, value]) => it.setRequestHeader(name, value));
    it.upload.addEventListener("progress", (event) => heard(event.loaded));
    it.addEventListener("load", () => {
      if (it.status >= 200 && it.status < 300) { done(it); return; }
      let detail = "";
      try { detail = JSON.parse(it.responseText).detail; } catch { /* no document */ }
      fail(Object.assign(new Error(detail || `The storage answered ${it.status}`), { status: it.status }));
    });
    it.addEventListener("error", () => fail(new Error("The connection broke")));
    it.send(body);
  });
  const put = async (it, heard) => {
    const { target, file } = it;
    if (!target.parts) {
      await request(target.upload_url, target.method, target.headers, file, heard);
      return;
    }
    const parts = [];
    let before = 0;
    for (const part of target.parts) {
      const body = file.slice(part.offset, part.offset + part.size_bytes);
      const sent = before;
      const answer = await request(part.url, "PUT", part.headers, body, (n) => heard(sent + n));
      before += part.size_bytes;
      parts.push({ number: part.number, etag: answer.getResponseHeader("ETag") });
    }
    await call("POST", `/${dataset}/files/${it.id}/parts`, { parts });
  };
  const send = async (it) => {
    let counted = 0;
    const heard = (loaded) => { state.sent += loaded - counted; counted = loaded; show(false); };
    for (let attempt = 1; ; attempt += 1) {
      try {
        it.target ??= (await call("POST", `/${dataset}/urls`, { file_ids: [it.id] })).upload_urls[0];
        line(it, "being sent");
        if (it.target) await put(it, heard);
        heard(it.file.size);
        state.done += 1;
        line(it, "sent");
        return;
      } catch (error) {
        heard(0);
        it.target = null;
        const passes = !error.status || error.status === 403 || error.status === 409 || error.status >= 500;
        if (!passes || attempt === tries) {
          state.failed.push({ ...it, cause: error.message });
          line(it, `failed: ${error.message}`);
          fails();
          return;
        }
        await new Promise((done) => { setTimeout(done, 500 * 2 ** attempt); });
      }
    }
  };
  const fails = () => {
    const causes = new Map();
    state.failed.forEach((it) => causes.set(it.cause, [...(causes.get(it.cause) ?? []), it.path]));
    get("failures").hidden = !state.failed.length;
    get("failed-count").textContent = `${counted(state.failed.length, "file")} could not be sent`;
    get("causes").replaceChildren(...[...causes].map(([cause, paths]) => {
      const item = document.createElement("li");
      item.textContent = `${cause} (${some(paths)})`;
      return item;
    }));
  };
  const sendAll = async (work) => {
    [state.failed, state.all, state.done, state.sent] = [[], work.length, 0, 0];
    state.bytes = work.reduce((sum, it) => sum + it.file.size, 0);
    fails();
    work.forEach((it) => { it.said = "waits"; });
    list.work = work;
    drawList();
    const queue = [...work];
    const worker = async () => { while (queue.length) await send(queue.shift()); };
    await Promise.all(Array.from({ length: atOnce }, worker));
    show(true);
    if (!state.failed.length) await complete();
  };
  const complete = async () => {
    say("All files arrived; the validation begins.");
    await call("POST", "/complete", { dataset_id: Number(dataset) });
    location.assign(`/datasets/${dataset}`);
  };
  const begin = async () => {
    const files = get("leave").checked ? chosen.filter((it) => !unknown.includes(it.path)) : chosen;
    if (!dataset) { await sendAll(await announce(files)); return; }
    const { work, absent, received } = await missing(files);
    // Nothing arrived: the break may have come before all were announced.
    if (!received) { await sendAll(await announce(files)); return; }
    if (absent) {
      const other = absent === 1 ? "is not" : "are not";
      throw new Error(`${counted(absent, "missing file")} ${other} in this folder, or another size by now. Choose the folder that was sent first`);
    }
    await sendAll(work);
  };
  const guarded = async (action) => {
    get("sending").hidden = false;
    get("send").disabled = true;
    try {
      await action();
    } catch (error) {
      get("failures").hidden = false;
      get("failed-count").textContent = `${error.message}.`;
      get("send").disabled = false;
    }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); guarded(begin); });
  get("retry").addEventListener("click", () => guarded(() => (state.failed.length ? sendAll(state.failed) : begin())));
  get("without").addEventListener("click", () => guarded(complete));
})();
