// What every page needs beyond what the report has.
(() => {
  // Of some files there is no picture. Errors do not bubble, but they are captured.
  document.addEventListener("error", (event) => {
    if (event.target.matches?.("img.picture")) event.target.hidden = true;
  }, true);
})();
