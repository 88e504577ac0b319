// Review from the keyboard: j and k or the arrows move, Enter opens, x chooses, a acts, r writes.
// Without it every line can be chosen and sent with the form.
(() => {
  const list = document.querySelector("form[data-list]")
  if (!list) return
  const lines = [...list.querySelectorAll("[data-line]")]
  const boxes = () => [...list.querySelectorAll("input[name=chosen]")]
  const reason = list.querySelector("#reason")
  let at = -1

  const mark = (next) => {
    if (!lines.length) return
    lines[at]?.classList.remove("here")
    at = Math.max(0, Math.min(lines.length - 1, next))
    lines[at].classList.add("here")
    lines[at].querySelector("[data-open]").focus()
    lines[at].scrollIntoView({ block: "nearest" })
  }
  const holding = () => lines.findIndex((line) => line.contains(document.activeElement))

  const keys = {
    j: () => mark((holding() >= 0 ? holding() : at) + 1),
    k: () => mark((holding() >= 0 ? holding() : at) - 1),
    x: () => lines[at]?.querySelector("input[name=chosen]")?.click(),
    a: () => lines[at]?.querySelector("[data-act]")?.click(),
    r: () => reason?.focus(),
  }
  keys.ArrowDown = keys.j
  keys.ArrowUp = keys.k
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return
    if (event.key === "Escape" && event.target === reason) { mark(at); return }
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return
    const act = keys[event.key]
    if (!act) return
    event.preventDefault()
    act()
  })
  list.addEventListener("focusin", () => {
    const now = holding()
    if (now < 0 || now === at) return
    lines[at]?.classList.remove("here")
    at = now
    lines[at].classList.add("here")
  })

  // Many at once: the buttons say how many, and the question names the number.
  const all = list.querySelector("[data-all]")
  const count = () => boxes().filter((box) => box.checked).length
  const label = () => {
    const many = count()
    for (const button of list.querySelectorAll("[data-many]")) {
      button.textContent = many ? `${button.dataset.deed} ${many}` : button.dataset.deed
      button.disabled = !many
    }
    if (all) {
      all.checked = many > 0 && many === boxes().length
      all.indeterminate = many > 0 && many < boxes().length
    }
  }
  if (all) {
    all.hidden = false
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked
      label()
    })
  }
  list.addEventListener("change", label)
  window.addEventListener("pageshow", label)
  label()

  const confirmed = document.createElement("input")
  confirmed.type = "hidden"
  confirmed.name = "confirmed"
  list.append(confirmed)
  document.addEventListener("submit", (event) => {
    if (event.target !== list || !event.submitter) return
    const many = event.submitter.name === "only" ? 1 : count()
    confirmed.value = "yes"
    const what = event.submitter.dataset.deed
    event.submitter.dataset.ask = many === 1 ? `${what}: this one?` : `${what}: all ${many} chosen?`
  }, true)
})()
