// Light or dark: what the person chose before, or what the machine prefers. Without this script the machine decides.
(() => {
  "use strict";
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("sandbox-theme");
  const apply = () => {
    root.dataset.bsTheme = chosen() || (preferred.matches ? "dark" : "light");
  };
  apply();
  preferred.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        localStorage.setItem("sandbox-theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
        apply();
      });
    }
  });
})();
