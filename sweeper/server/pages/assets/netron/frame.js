// What Netron needs in a frame without an origin, before its own scripts: there it may neither look at cookies nor start a
// worker from an address, and either would end it. It asks a cookie only whether it may count visits, which it never does here.

Object.defineProperty(document, "cookie", { get: () => "consent=1", set: () => {} });

// a module cannot be the worker of such a frame, but a script can load one; what comes before that is there is kept for it
const LOAD = (address) => `
  const early = [];
  const keep = (event) => early.push(event.data);
  addEventListener("message", keep);
  const begin = () => {
    removeEventListener("message", keep);
    for (const data of early) dispatchEvent(new MessageEvent("message", { data }));
  };
  import(${JSON.stringify(address)}).then(() => setTimeout(begin), (error) => setTimeout(() => { throw error; }));
`;

const PlainWorker = window.Worker;
window.Worker = class extends PlainWorker {
  constructor(address) {
    const script = new Blob([LOAD(new URL(address, document.baseURI).href)], { type: "text/javascript" });
    super(URL.createObjectURL(script));
  }
};
