// Going back brings what was typed with it; the link alone brings an empty form.
document.querySelector('a[data-back]')?.addEventListener('click', (event) => {
  if (history.length < 2) return
  event.preventDefault()
  history.back()
})
