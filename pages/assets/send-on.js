// What was kept goes on by itself; its page is no place to come back to.
document.querySelector('form[data-send-on]').requestSubmit()
