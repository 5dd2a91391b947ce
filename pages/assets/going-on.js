// Keeps the part of an address behind # in this tab while its person signs in, and brings it back.
const link = document.querySelector('a[data-go]')
const { keep } = link.dataset
const KEY = 'stepgate-fragment'

let url = link.href
try {
  if (keep === undefined) {
    const [path, fragment] = JSON.parse(sessionStorage.getItem(KEY) ?? '[]')
    sessionStorage.removeItem(KEY)
    if (path === link.getAttribute('href')) url += fragment
  } else if (location.hash !== '') {
    sessionStorage.setItem(
      KEY,
      JSON.stringify([location.pathname + location.search, location.hash]),
    )
    url = keep
  }
} catch {
  // A browser that keeps nothing: the page is still the right one.
}
location.replace(url)
