// Counts the seconds until the page goes on; the page goes on without it as well.
(() => {
  "use strict";
  const number = document.querySelector("[data-countdown]");
  let left = Number(number.textContent);
  setInterval(() => {
    left = Math.max(0, left - 1);
    number.textContent = String(left);
  }, 1000);
})();
