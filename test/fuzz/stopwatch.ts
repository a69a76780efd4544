// How long something takes, also on a machine that others use: the processor time of this thread is what the clock would
// say on a free machine. The clock counts where it says less (the kernel rounds processor time).

/** Milliseconds that `run` took. */
export function timed(run: () => void): number {
  const used = process.threadCpuUsage()
  const begun = performance.now()
  run()
  const passed = performance.now() - begun
  const { user, system } = process.threadCpuUsage(used)
  return Math.min(passed, (user + system) / 1000)
}
