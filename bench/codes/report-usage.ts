/** Loaded into a stepgate before it starts: answers each message of the parent with its CPU use. */
process.on('message', () => process.send?.(process.cpuUsage()))
process.channel?.unref()
process.once('disconnect', () => process.exit())
