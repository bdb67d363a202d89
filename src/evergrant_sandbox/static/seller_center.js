// What the frame does better with a script: it says which menu is open, Escape closes it, the shop changes by choosing it.
(() => {
  "use strict";
  document.documentElement.classList.add("has-script");
  for (const menu of document.querySelectorAll("[data-menu]")) {
    const button = menu.querySelector("button");
    const below = menu.querySelector("div");
    const say = () => button.setAttribute("aria-expanded", String(getComputedStyle(below).display !== "none"));
    const later = () => {
      menu.classList.remove("is-shut");
      requestAnimationFrame(say);
    };
    for (const event of ["pointerenter", "focusin"]) menu.addEventListener(event, later);
    menu.addEventListener("pointerleave", () => {
      menu.classList.remove("is-open");
      later();
    });
    menu.addEventListener("focusout", (event) => {
      if (!menu.contains(event.relatedTarget)) menu.classList.remove("is-open");
      requestAnimationFrame(say);
    });
    button.addEventListener("click", () => {
      menu.classList.remove("is-shut");
      menu.classList.add("is-open");
      say();
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || getComputedStyle(below).position !== "absolute") return;
      menu.classList.remove("is-open");
      button.focus();
      menu.classList.add("is-shut");
      requestAnimationFrame(say);
    });
    addEventListener("resize", say);
    say();
  }
  for (const select of document.querySelectorAll("[data-send-on-change]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
