// Pages are whole without this. With it: the list of pages is open where there is room, and there is a search, unless
// the site is read from disk, where a browser lets no script read the index.
(function () {
  "use strict";
  var wide = window.matchMedia("(min-width: 60rem)");
  var list = document.querySelector(".pages details");
  function fit() { list.open = wide.matches; }
  wide.addEventListener("change", fit);
  fit();
  var here = list.querySelector("[aria-current]");
  if (here && wide.matches) { here.scrollIntoView({ block: "nearest" }); window.scrollTo(0, window.scrollY && 0); }

  var form = document.querySelector("[role=search]");
  form.hidden = location.protocol === "file:";
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  var results = document.getElementById("mkdocs-search-results");
  form.addEventListener("input", function (event) { if (!event.target.value) { results.textContent = ""; } });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { event.target.value = ""; results.textContent = ""; }
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      form.querySelector("input").focus();
    }
  });
}());
