// Consent forms: another target shop shows what there is to renew for it, and the button waits for the checkbox.
// Without this script a button beside the shop does the first, and the server the second.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-without-script]")) {
    button.hidden = true;
    const form = button.form;
    form.querySelector("[data-shows]").addEventListener("change", () => form.requestSubmit(button));
  }
  for (const button of document.querySelectorAll("[data-waits-for]")) {
    const box = document.getElementById(button.dataset.waitsFor);
    const follow = () => { button.disabled = !box.checked; };
    box.addEventListener("change", follow);
    follow();
  }
  const dialog = document.querySelector("dialog[data-modal]");
  if (dialog) {
    dialog.close();
    dialog.showModal();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      location.assign(dialog.dataset.modal);
    });
  }
})();
