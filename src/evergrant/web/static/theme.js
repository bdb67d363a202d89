// Light or dark: what the person chose here before, else what their system says. Runs before the page is drawn.
"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const apply = () => {
    document.documentElement.dataset.bsTheme = chosen() || (dark.matches ? "dark" : "light");
  };
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
        try {
          localStorage.setItem("theme", next);
        } catch {
          // A browser that keeps nothing still switches for this page.
        }
        document.documentElement.dataset.bsTheme = next;
      });
    }
  });
})();
