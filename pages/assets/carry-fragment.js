// The part of the address behind # goes along with redirects, and would end at a form or a link.
if (location.hash !== '') {
  for (const form of document.querySelectorAll('form')) form.action += location.hash
  for (const link of document.querySelectorAll('.other a')) link.href += location.hash
}
