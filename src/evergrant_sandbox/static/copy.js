// "Copy" buttons: they take what stands in the field they name, and say so. Without this script the field is selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const words = button.querySelector("[data-words]");
  const usual = words.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      words.textContent = "Copied";
    } catch {
      // The browser does not let us: leave it to the person's own shortcut.
      field.select();
      words.textContent = "Selected, now copy it";
    }
    document.getElementById("told").textContent = words.textContent;
    setTimeout(() => {
      words.textContent = usual;
    }, 2000);
  });
}
