"use strict";
(() => {
  document.querySelectorAll("[data-script]").forEach((element) => { element.hidden = false; });
  // Copying.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      const area = document.createElement("textarea");
      area.value = button.dataset.copy;
      button.after(area);
      area.select();
      button.textContent = document.execCommand("copy") ? "Copied" : "Not allowed here";
      area.remove();
    }
    setTimeout(() => { button.textContent = said; }, 1500);
  });
})();
