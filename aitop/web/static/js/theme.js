// Before the first paint: the theme that was chosen in this browser. "auto" follows the system.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("aitop-theme") || "auto";
  } catch {
    // A browser that keeps nothing follows the system.
  }
  document.documentElement.dataset.theme = chosen;
})();
