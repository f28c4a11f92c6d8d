// Pages are whole without this. With it: the list of pages is closed where there is little room, and there is a search,
// unless the site is read from disk, where browsers let no script read the index.
(function () {
  "use strict";
  var wide = window.matchMedia("(min-width: 60rem)");
  var list = document.querySelector(".pages details");
  function fit() { list.open = wide.matches; }
  wide.addEventListener("change", fit);
  fit();
  var here = list.querySelector("[aria-current]");
  if (here) { list.scrollTop = here.offsetTop - list.clientHeight / 2; }

  var form = document.querySelector("[role=search]");
  var query = form.querySelector("input");
  var results = document.getElementById("results");
  var base = document.documentElement.dataset.base;
  var entries = null, asked = false, titles = {};
  form.hidden = location.protocol === "file:";
  form.addEventListener("submit", function (event) { event.preventDefault(); search(); });
  query.addEventListener("input", search);
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { query.value = ""; search(); }
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      query.focus();
    }
  });

  // Sections that have all words: those that have them in their heading first, then in the order of the site.
  function found(words) {
    return entries.map(function (it) {
      var title = it.title.toLowerCase(), text = it.text.toLowerCase();
      // A page has the words of all its sections, and says less about where they are.
      var rank = it.location.includes("#") ? 0.5 : 0;
      var all = words.every(function (word) {
        var there = title.includes(word);
        rank += there ? 1 : 0;
        return there || text.includes(word);
      });
      return all ? { it: it, rank: rank } : null;
    }).filter(Boolean).sort(function (a, b) { return b.rank - a.rank; });
  }

  function around(text, word) {
    var at = Math.max(0, text.toLowerCase().indexOf(word) - 60);
    return (at ? "…" : "") + text.slice(at, at + 200).replace(/\s+/g, " ");
  }

  function search() {
    if (!entries) {
      if (asked) { return; }
      asked = true;
      fetch(base + "/search/search_index.json").then(function (answer) { return answer.json(); }).then(function (index) {
        entries = index.docs;
        entries.forEach(function (it) { if (!it.location.includes("#")) { titles[it.location] = it.title; } });
        search();
      });
      return;
    }
    var words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    results.textContent = "";
    if (query.value.trim().length < 2) { return; }
    var all = found(words), most = 12;
    all.slice(0, most).forEach(function (one) {
      var link = document.createElement("a"), text = document.createElement("p"), entry = document.createElement("article");
      link.href = base + "/" + one.it.location;
      var page = titles[one.it.location.split("#")[0]];
      link.textContent = one.it.title === page ? page : page + ": " + one.it.title;
      text.textContent = around(one.it.text, words[0]);
      entry.append(link, text);
      results.append(entry);
    });
    var note = document.createElement("p");
    note.textContent = all.length > most ? most + " of " + all.length : all.length ? "" : "Nothing found";
    results.append(note);
  }
}());
