// A small window that was opened for the consent closes by itself. Whether it succeeded, the Dashboard asks the server.
"use strict";
const outcome = document.querySelector("[data-outcome]");
if (outcome && outcome.dataset.mode === "popup" && outcome.dataset.outcome === "completed") {
  const closing = outcome.querySelector("[data-closing]");
  const seconds = outcome.querySelector("[data-seconds]");
  const back = outcome.querySelector("[data-leave]");
  let left = Number(seconds.textContent);
  closing.hidden = false;
  const leave = () => {
    window.close();
    // A window no script may close (its opener is gone) becomes the page to come back to.
    setTimeout(() => {
      if (back) location.replace(back.href);
    }, 400);
  };
  const tick = setInterval(() => {
    left -= 1;
    seconds.textContent = String(left);
    if (left <= 0) {
      clearInterval(tick);
      leave();
    }
  }, 1000);
}
