(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  // Filters; their state lives in the URL's fragment.
  const form = document.querySelector(".filters");
  const rows = all("table.files tbody tr");
  const number = new Intl.NumberFormat("en");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const fields = form ? all("select, input", form) : [];

  const filter = () => {
    const want = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const text = want.text.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, at) => {
      const rules = row.dataset.rules.split(" ");
      const fits = (!want.severity || row.dataset.severity === want.severity)
        && (!want.family || rules.some((rule) => rule.startsWith(want.family)))
        && (!want.rule || rules.includes(want.rule))
        && (!want.folder || row.dataset.folder === want.folder)
        && (!text || texts[at].includes(text));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    form.querySelector("output").value = `${number.format(shown)} of ${number.format(rows.length)} shown`;
  };

  const remember = () => {
    const state = new URLSearchParams();
    fields.forEach((field) => { if (field.value) state.set(field.name, field.value); });
    history.replaceState(null, "", `#${state}`);
  };

  const recall = () => {
    const fragment = location.hash.slice(1);
    if (!fragment.includes("=")) return false;
    const state = new URLSearchParams(fragment);
    fields.forEach((field) => { field.value = state.get(field.name) ?? ""; });
    return fields.some((field) => field.value);
  };

  // A link to an element opens what holds it, and drops filters that hide it.
  const arrive = () => {
    if (!form && location.hash.includes("=")) return;
    if (recall()) {
      filter();
      document.getElementById("files").scrollIntoView();
      return;
    }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      form.reset();
      filter();
    }
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const inside = target.querySelector(":scope > .findings details");
    if (inside) inside.open = true;
    target.scrollIntoView({ block: "nearest" });
  };

  if (form) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => { filter(); remember(); });
    form.addEventListener("reset", () => setTimeout(() => { filter(); remember(); }));
  }
  addEventListener("hashchange", arrive);
  if (location.hash) arrive();

  // Keys: J and K walk, Enter opens, Esc goes back.
  const trail = [];
  // What a closed card holds still has a layout, but takes no focus.
  const visible = (item) => {
    const fold = item.closest("details:not([open])");
    return !item.closest("[hidden]") && (!fold || item.parentElement === fold);
  };
  const go = (item) => {
    if (!item) return;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  };
  const walk = (step) => {
    const items = all("[data-item]").filter(visible);
    const here = items.indexOf(document.activeElement?.closest("[data-item]"));
    const first = items.findIndex((item) => item.getBoundingClientRect().top >= 0);
    go(items[here < 0 ? Math.max(first, 0) : here + step]);
  };
  const open = (item) => {
    trail.push(item);
    const link = item.querySelector("a[href^='#f']");
    const inside = item.querySelector("details");
    if (link) {
      link.click();
      go(document.getElementById(link.hash.slice(1)));
    } else if (inside) {
      inside.open = !inside.open;
    }
  };
  const back = () => {
    const item = document.activeElement?.closest("[data-item]");
    const inside = item?.querySelector("details[open]");
    if (inside) inside.open = false;
    if (trail.length) return go(trail.pop());
    const card = item?.closest("details.card");
    if (!card) return undefined;
    if (item.tagName === "SUMMARY") card.open = false;
    return go(card.querySelector("summary"));
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const item = event.target.closest("[data-item]");
    if (event.key === "j" || event.key === "J") walk(1);
    else if (event.key === "k" || event.key === "K") walk(-1);
    else if (event.key === "Escape") back();
    else if (event.key === "Enter" && item === event.target && item.tagName !== "SUMMARY") open(item);
    else return;
    event.preventDefault();
  });

  // Paper has no folds.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details.card:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
})();
