// What a peer's SETTINGS ask for (RFC 9113 sections 6.5.1 and 6.5.2). Only its initial window matters to a server that pushes
// nothing, sends no frame larger than the least maximum, and names nothing in a dynamic table; all values are checked.
import { ConnectionError, max31, maxFrameBytes, settingId } from './frames.ts'

const entryBytes = 6
const largestFrame = 2 ** 24 - 1

/** Returns the SETTINGS_INITIAL_WINDOW_SIZE that holds after this frame, if it sets one. Throws ConnectionError. */
export function readSettings(bytes: Buffer, start: number, end: number): number | undefined {
  if ((end - start) % entryBytes !== 0)
    throw new ConnectionError('frameSizeError', 'SETTINGS that are no list of settings')
  let initialWindow: number | undefined
  for (let at = start; at < end; at += entryBytes) {
    const value = bytes.readUInt32BE(at + 2)
    switch (bytes.readUInt16BE(at)) {
      case settingId.enablePush:
        if (value > 1) throw new ConnectionError('protocolError', 'SETTINGS_ENABLE_PUSH is neither 0 nor 1')
        break
      case settingId.initialWindowSize:
        if (value > max31)
          throw new ConnectionError('flowControlError', 'SETTINGS_INITIAL_WINDOW_SIZE is too large')
        initialWindow = value
        break
      case settingId.maxFrameSize:
        if (value < maxFrameBytes || value > largestFrame)
          throw new ConnectionError('protocolError', 'SETTINGS_MAX_FRAME_SIZE is out of its range')
        break
    }
  }
  return initialWindow
}
