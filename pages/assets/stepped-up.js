// The page that opened this window waits for the word. A tab that a person opened stays.
new BroadcastChannel('stepgate').postMessage('stepped up')
setTimeout(close)
