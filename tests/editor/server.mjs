// A small client of yaml-language-server: what an editor asks, and nothing else.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PATIENCE = 30_000;

export class Server {
  #child;
  #next = 1;
  #waiting = new Map();
  #diagnostics = new Map();
  #buffer = Buffer.alloc(0);

  /** Starts the server. `settings` are those of the editor's `yaml` section. */
  static async start(root, settings) {
    const server = new Server();
    const packageFile = createRequire(import.meta.url).resolve("yaml-language-server/package.json");
    const program = join(dirname(packageFile), "bin", "yaml-language-server");
    server.#child = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
    server.#child.stdout.on("data", (bytes) => server.#read(bytes));
    server.settings = settings;
    await server.#request("initialize", {
      processId: process.pid,
      rootUri: root,
      workspaceFolders: [{ uri: root, name: "project" }],
      capabilities: {
        workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
        textDocument: {
          completion: { completionItem: { documentationFormat: ["plaintext"], snippetSupport: true } },
          hover: { contentFormat: ["plaintext"] },
        },
      },
    });
    server.#notify("initialized", {});
    server.#notify("workspace/didChangeConfiguration", { settings: { yaml: settings } });
    return server;
  }

  stop() {
    this.#child.kill();
  }

  /** Opens a file and gives the problems that the editor would underline. */
  async problems(uri, text) {
    const told = new Promise((resolve) => this.#diagnostics.set(uri, resolve));
    this.#open(uri, text);
    const problems = await this.#inTime(told, `problems of ${uri}`);
    this.#notify("textDocument/didClose", { textDocument: { uri } });
    return problems;
  }

  /** The words that the editor would offer at the cursor. */
  async completion(uri, text, position) {
    this.#open(uri, text);
    const found = await this.#request("textDocument/completion", { textDocument: { uri }, position });
    this.#notify("textDocument/didClose", { textDocument: { uri } });
    return (found?.items ?? found ?? []).map((item) => ({ label: item.label, text: item.insertText ?? item.label, doc: item.documentation ?? "" }));
  }

  /** What the editor would show when the mouse rests at the cursor. */
  async hover(uri, text, position) {
    this.#open(uri, text);
    const found = await this.#request("textDocument/hover", { textDocument: { uri }, position });
    this.#notify("textDocument/didClose", { textDocument: { uri } });
    const contents = found?.contents ?? "";
    return typeof contents === "string" ? contents : (contents.value ?? "");
  }

  #open(uri, text) {
    this.#notify("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
  }

  #request(method, params) {
    const id = this.#next++;
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send({ id, method, params });
    return this.#inTime(answered, method);
  }

  #notify(method, params) {
    this.#send({ method, params });
  }

  #send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin.write(body);
  }

  #read(bytes) {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    for (;;) {
      const end = this.#buffer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffer.toString("ascii", 0, end))[1]);
      const from = end + 4;
      if (this.#buffer.length < from + length) return;
      const message = JSON.parse(this.#buffer.toString("utf8", from, from + length));
      this.#buffer = this.#buffer.subarray(from + length);
      this.#receive(message);
    }
  }

  #receive(message) {
    if (message.method === "workspace/configuration") {
      // What the server asks of the editor: its settings, section by section.
      const result = message.params.items.map((item) => (item.section === "yaml" ? this.settings : {}));
      this.#send({ id: message.id, result });
    } else if (message.method === "textDocument/publishDiagnostics") {
      this.#diagnostics.get(message.params.uri)?.(message.params.diagnostics);
      this.#diagnostics.delete(message.params.uri);
    } else if (message.method && message.id !== undefined) {
      this.#send({ id: message.id, result: null });
    } else if (message.id !== undefined) {
      const { resolve, reject } = this.#waiting.get(message.id) ?? {};
      this.#waiting.delete(message.id);
      message.error ? reject?.(new Error(message.error.message)) : resolve?.(message.result);
    }
  }

  async #inTime(promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in time: ${what}`)), PATIENCE);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
