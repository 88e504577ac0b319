// What the pages do beyond links and forms. Without it everything can still be read and sent.
(() => {
  const said = document.getElementById("said")
  const say = (text) => { said.textContent = text }

  // On a phone the menu is wider than the screen: show where one is.
  document.querySelector(".top [aria-current]")?.scrollIntoView({block: "nearest", inline: "center"})

  // Airflow's frame may open no windows: a link to another system is opened by the page around it.
  const framed = window.parent !== window
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-outside]")
    if (!link || !framed || event.defaultPrevented) return
    event.preventDefault()
    try {
      const beside = window.parent.document.createElement("a")
      beside.href = link.href
      beside.target = "_blank"
      beside.rel = "noopener noreferrer"
      beside.click()
    } catch {
      say(`Open ${link.href} in a new window.`)
    }
  })

  // A second press on a button must not do a thing twice.
  document.addEventListener("submit", (event) => {
    const form = event.target
    if (form.method !== "post") return
    const question = event.submitter?.dataset.ask || form.dataset.ask
    if (question && !form.dataset.asked) {
      event.preventDefault()
      ask(form, question, event.submitter)
      return
    }
    if (form.dataset.sent) event.preventDefault()
    form.dataset.sent = "yes"
    // Later, because a button that is disabled does not say its own name and value.
    setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true })
  })
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent
      delete form.dataset.asked
      for (const button of form.querySelectorAll("button")) button.disabled = false
    }
  })

  // The browser's own dialogue is not allowed in Airflow's frame.
  const ask = (form, question, submitter) => {
    const dialogue = document.createElement("dialog")
    dialogue.setAttribute("aria-label", "Are you sure?")
    const text = document.createElement("p")
    text.textContent = question
    const go = document.createElement("button")
    go.className = "primary"
    const pressed = submitter ?? form.querySelector("button[type=submit], button:not([type])")
    go.textContent = pressed?.textContent.trim() || "Go on"
    const back = document.createElement("button")
    back.textContent = "Cancel"
    const row = document.createElement("p")
    row.className = "buttons"
    row.append(go, back)
    dialogue.append(text, row)
    go.addEventListener("click", () => {
      dialogue.close()
      form.dataset.asked = "yes"
      form.requestSubmit(submitter)
    })
    back.addEventListener("click", () => dialogue.close())
    dialogue.addEventListener("close", () => dialogue.remove())
    document.body.append(dialogue)
    dialogue.showModal()
    back.focus()
  }

  // Whoever has pressed something sees that it is under way, unless it is quick.
  const root = document.documentElement
  let soon
  const arrived = () => {
    clearTimeout(soon)
    delete root.dataset.loading
  }
  const leaving = () => {
    clearTimeout(soon)
    soon = setTimeout(() => { root.dataset.loading = "yes" }, 150)
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([download], [target], [data-outside], [hx-get])")
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
    if (link.href.split("#")[0] === location.href.split("#")[0] && link.hash) return
    leaving()
  })
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented) leaving() })
  window.addEventListener("pageshow", arrived)
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") arrived() })
  document.addEventListener("htmx:beforeRequest", (event) => {
    // Today looks again by itself: nobody waits for that.
    if (event.detail.elt.id !== "morning") event.detail.target.setAttribute("aria-busy", "true")
  })
  document.addEventListener("htmx:afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"))

  // Clocks that run down while the page is open.
  const units = [[86400, "d"], [3600, "h"], [60, "min"]]
  const length = (seconds) => {
    for (const [at, [size, unit]] of units.entries()) {
      if (seconds < size) continue
      const below = units[at + 1]
      const rest = below ? Math.floor((seconds % size) / below[0]) : 0
      return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${below[1]}` : ""}`
    }
    return `${Math.floor(seconds)} s`
  }
  // By Airflow's clock: that of the laptop may be wrong, but goes on while the laptop sleeps.
  const ahead = new Date(root.dataset.now ?? Date.now()).getTime() - Date.now()
  const tick = () => {
    const now = Date.now() + ahead
    for (const clock of document.querySelectorAll("time[data-due]")) {
      const left = (new Date(clock.dateTime) - now) / 1000
      clock.textContent = left >= 0 ? `${length(left)} left` : `${length(-left)} late`
      clock.classList.toggle("late", left < 0)
    }
  }
  tick()
  setInterval(tick, 1000)

  document.addEventListener("htmx:responseError", (event) => {
    say(event.detail.xhr.status === 403 ? "That was refused: reload the page." : "The ledger could not be read; what you see may be old.")
  })
  document.addEventListener("htmx:sendError", () => say("Airflow could not be reached; what you see may be old."))
  document.addEventListener("htmx:afterSwap", tick)
})()
