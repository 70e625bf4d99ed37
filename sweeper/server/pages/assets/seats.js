// The few seats that all windows of a browser share: who has one may hold a connection to the server for long. A browser
// opens six to one server, and with seven streams the seventh window would wait for good, and so would every answer.

const SEATS = 3;

/**
 * Take one, if one is free.
 * @returns {Promise<function()|null>} Leaves it; a window that is closed leaves it by itself. Null where all are taken.
 */
export async function takeSeat() {
  // only a page over TLS or on this machine has locks: elsewhere each window holds its stream
  if (!navigator.locks) return () => {};
  for (let seat = 0; seat < SEATS; seat += 1) {
    const leave = await hold(`sweeper:stream-${seat}`);
    if (leave) return leave;
  }
  return null;
}

function hold(name) {
  return new Promise((told) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? new Promise((leave) => told(leave)) : told(null)));
  });
}
