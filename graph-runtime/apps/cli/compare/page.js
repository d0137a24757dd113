(() => {
  "use strict";
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.getElementById("theme");
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  name();

  const cells = [...document.querySelectorAll(".cell")];
  const reference = (cell) => document.querySelector(`.cell[data-row="0"][data-column="${cell.dataset.column}"] img`);
  const modes = [...document.querySelectorAll("[data-mode]")];
  modes.forEach((button) => button.addEventListener("click", () => {
    const difference = button.dataset.mode === "difference";
    document.body.classList.toggle("difference", difference);
    modes.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    cells.forEach((cell) => {
      cell.querySelector(".over")?.remove();
      if (!difference || cell.dataset.row === "0") return;
      const over = new Image();
      over.src = reference(cell).src;
      over.alt = "";
      over.className = "over";
      cell.append(over);
    });
  }));

  const dialog = document.querySelector("dialog");
  const wipe = dialog.querySelector(".wipe");
  const slider = dialog.querySelector("input");
  slider.addEventListener("input", () => wipe.style.setProperty("--at", `${slider.value}%`));
  cells.forEach((cell) => cell.addEventListener("click", () => {
    const [left, right] = wipe.querySelectorAll("img");
    left.src = reference(cell).src;
    right.src = cell.querySelector("img").src;
    dialog.querySelector(".right").textContent = cell.querySelector("img").alt;
    slider.value = 50;
    wipe.style.setProperty("--at", "50%");
    dialog.showModal();
  }));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
})();
