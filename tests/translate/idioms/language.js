var o = {b: 1, 10: "x", 2: "y", a: {c: [1, {d: 2}]}};
for (var k in o) { console.log(k); }
delete o.b; console.log(Object.keys(o).join(), 'b' in o, o.b);
o["new key"] = 5; o.n = o.n || 0; o.n++; o.n += 2; console.log(o.n, o["new key"]);
function f({a, b = 2, ...rest} = {}, [x, y = 7] = []) { return [a, b, x, y, Object.keys(rest).join("+")].join("|"); }
console.log(f({a: 1, q: 3, r: 4}, [5]), f());
function g() { try { return "try"; } finally { console.log("fin"); } }
console.log(g());
function h(n) { if (n <= 1) { return 1; } return n * h(n - 1); }
console.log(h(5));
var counter = (function() { var c = 0; return { inc: function() { c++; return c; }, get: function() { return c; } }; })();
counter.inc(); counter.inc(); console.log(counter.get());
var acc = []; for (var i = 0; i < 3; i++) { acc.push(function() { return i; }); } console.log(acc.map(function(q) { return q(); }).join());
var acc2 = []; [1, 2, 3].forEach(function(v) { var w = v * 2; acc2.push(() => v + w); }); console.log(acc2.map(q => q()).join());
var data = JSON.parse('{"list":[{"id":1,"tags":["a","b"]},{"id":2}],"n":null,"t":true,"f":1.50}');
console.log(data.list.length, data.list[0].tags.join("/"), data.list[1].tags === undefined, data.n === null, data.t, data.f);
data.list.forEach(function(e) { if (!e.tags) { return; } console.log("tags", e.id, e.tags.length); });
var byId = {}; data.list.forEach(e => { byId[e.id] = e; }); console.log(Object.keys(byId).length, byId[2].id, byId["1"].tags[1]);
console.log("x-y-z".split("-").map((s, i) => s + i).reverse().join(""), "abc"[1], "abc".charAt(5) === "");
console.log("a1b22".replace(/\d+/g, m => "<" + m + ">"), "John Smith".replace(/(\w+)\s(\w+)/, "$2, $1"));
var m = /(\d+)-(\d+)/.exec("tel 12-34"); if (m) { console.log(m[1], m[2], m.index); }
console.log("aXbX".split("X").length, "a,b,,c".split(",").length, " a b ".split(" ").length);
let s = new Set([1, 2, 2, 3]); s.add(4); s.delete(1); console.log(s.size, s.has(2), [...s].join());
let mp = new Map(); mp.set("k", 1).set("j", 2); mp.forEach((v, k) => console.log(k, v)); console.log(mp.get("zz"), [...mp.keys()].join(), mp.size);
class P { #secret = 1; static count = 0; constructor(n) { this.n = n; P.count++; } get double() { return this.n * 2; } set double(v) { this.n = v / 2; } bump() { this.#secret++; return this.#secret; } static of(n) { return new this(n); } }
var p = new P(4); p.double = 10; console.log(p.n, p.double, p.bump(), P.count, P.of(1).n);
class Q extends P { constructor() { super(7); this.z = 1; } bump() { return super.bump() + 10; } }
console.log(new Q().bump(), new Q() instanceof P);
function Animal(name) { this.name = name; this.sounds = []; } Animal.prototype.speak = function(s) { this.sounds.push(s); return this; }; Animal.prototype.all = function() { return this.sounds.join("!"); };
console.log(new Animal("x").speak("a").speak("b").all());
var app = { items: [], total: 0, add: function(n) { this.items.push(n); this.total += n; return this.total; }, report() { return this.items.length + ":" + this.total; } };
app.add(2); app.add(3.5); console.log(app.report());
var x1 = 5, y1 = 6; [x1, y1] = [y1, x1]; console.log(x1, y1);
var a1 = [1, 2, 3]; var [first, ...others] = a1; console.log(first, others.length, a1.indexOf(3), a1.includes(9));
console.log([3, 1, 2].sort().concat([9]).join(), [1, 10, 2].sort().join(), ["b", "a"].sort()[0], [5, 1].sort((a, b) => a - b)[0]);
console.log([1, 2, 3, 4].reduce((a, b) => a + b), [[1, 2], [3]].flat().length, [1, 2, 3].slice(-2).join(), [1,2,3].splice(1, 1).length);
let i2 = 0; while (true) { i2++; if (i2 % 2) continue; if (i2 > 6) break; } console.log(i2);
outer1: for (let q = 0; q < 2; q++) { console.log("q", q); }
do { i2--; if (i2 == 5) continue; } while (i2 > 3); console.log(i2);
switch (typeof i2) { case "number": { let z = 1; console.log("num", z); break; } default: console.log("other"); }
const fn = (a, b) => a ?? b; console.log(fn(null, 2), fn(0, 2), (void 0) ?? "u");
var u; console.log(u?.x, u?.x.y.z, u?.[0], (u || {}).q, u && u.x);
console.log(1 / 3, 0.1 + 0.2, 1e21, 1e-7, 123456789012, 5 % -3, -5 % 3, 2 ** 10, 7 / 2 | 0, ~5, 5 >>> 1, -5 >> 1, 1 << 3);
console.log((12.345).toFixed(1), (0.5).toFixed(0), (2.5).toFixed(0), (255).toString(16), parseInt("0042", 10), Number("12px"), Number(" 12 "), +true, -"3");
console.log([1, [2, 3]].toString(), String([1, 2]), String({}), `${[1, 2]}`, "" + null, "" + undefined, 1 + null, "5" - 2, "5" + 2, true + 1);
console.log(null == undefined, null === undefined, 0 == "", "0" == false, [] == "", NaN === NaN, "b" > "a", "10" < "9", 10 < "9");
console.log(!"", !"0", !!NaN, !![], !!{}, !0, [] ? 1 : 2, "" || [] ? "t" : "f");
try { null.x; } catch (e) { console.log("caught", e instanceof TypeError); }
try { throw { code: 42 }; } catch (e) { console.log(e.code); }
try { try { throw new Error("in"); } finally { console.log("f1"); } } catch (e) { console.log(e.message); }
function V() { var args = arguments.length; return args; } console.log(V(1, 2, 3));
function many(a, b, c) { return [a, b, c].map(x => x === undefined ? "-" : x).join(); } console.log(many(1), many(1, 2, 3, 4), many(...[7, 8]));
var later = []; function hoisted() { return inner(); function inner() { return "hi"; } } console.log(hoisted());
var text = ""; for (const ch of "héy") { text = ch + text; } console.log(text, text.length, "abc".substring(2, 0), "abcdef".slice(-3, -1), "x".padEnd(3, "ab") + "|");
console.log(encodeURIComponent("a b&é"), Math.max(...[1, 5, 3]), Math.min(), Math.hypot(3, 4), Math.sign(-3), Math.trunc(-4.7));
console.log(Array.from({length: 3}, (_, i) => i * i).join(), Array(3).fill(0).join(), new Array(2).length, Array.isArray([]), Object.entries({a: 1}).map(([k, v]) => k + v)[0]);
console.log(JSON.stringify({u: undefined === 1, d: [1.0, 2.50], s: "a\"b", n: null}), JSON.stringify("x"), JSON.stringify([]));
var cond = 3; var res2 = cond > 2 ? "big" : cond > 1 ? "mid" : "small"; console.log(res2, cond === 3 && "three", cond || "none");
var n3 = 0; function side() { n3++; return false; } side() && side(); side() || side(); console.log(n3);
var nested = { a: { b: { c: 1 } } }; nested.a.b.c += 5; nested["a"]["b"].d = [1]; nested.a.b.d.push(2); console.log(nested.a.b.c, nested.a.b.d.length);
