// A small window that was opened for the consent closes: by itself after a success, by its button otherwise. Whether it
// succeeded, the Dashboard asks the server.
"use strict";
const outcome = document.querySelector("[data-outcome]");
if (outcome && outcome.dataset.mode === "popup") {
  const back = outcome.querySelector("[data-leave]");
  const leave = () => {
    window.close();
    // A window no script may close (its opener is gone) becomes the page to come back to.
    setTimeout(() => {
      if (back) location.replace(back.href);
    }, 400);
  };
  if (back) {
    back.addEventListener("click", (event) => {
      event.preventDefault();
      leave();
    });
  }
  if (outcome.dataset.outcome === "completed") {
    const seconds = outcome.querySelector("[data-seconds]");
    let left = Number(seconds.textContent);
    outcome.querySelector("[data-closing]").hidden = false;
    const tick = setInterval(() => {
      left -= 1;
      seconds.textContent = String(left);
      if (left <= 0) {
        clearInterval(tick);
        leave();
      }
    }, 1000);
  }
}
