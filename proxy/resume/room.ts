/** Room in memory for content that is held back, of all requests of this process together. */
export type Room = {
  /** Takes so many bytes more; false when there are not that many left. */
  take(bytes: number): boolean
  give(bytes: number): void
}

/** Room for so many bytes. */
export function createRoom(bytes: number): Room {
  let left = bytes
  return {
    take(wanted) {
      if (wanted > left) return false
      left -= wanted
      return true
    },
    give(taken) {
      left += taken
    },
  }
}
