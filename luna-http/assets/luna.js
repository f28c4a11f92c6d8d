"use strict";
// What every page may need: things that work only with a script appear, and texts are copied.
(() => {
  document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  // Of some files there is no picture. Errors do not bubble, but they are captured.
  document.addEventListener("error", (event) => {
    if (event.target.matches?.("img.picture")) event.target.hidden = true;
  }, true);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here";
    }
    setTimeout(() => { button.textContent = said; }, 1500);
  });
})();
