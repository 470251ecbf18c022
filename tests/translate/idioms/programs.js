var calls = {}; var order = [];
function update(ref, state) { var c = calls[ref]; if (!c) { c = calls[ref] = { ref: ref, states: [], n: 0 }; order.push(ref); } c.states.push(state); c.n += 1; return c; }
update("a", "SETUP"); update("b", "SETUP"); update("a", "CONNECT");
console.log(order.length, calls.a.states.join(">"), calls["b"].n, Object.keys(calls).map(function(k) { return calls[k].n; }).join());
for (var ref in calls) { if (calls.hasOwnProperty(ref)) { console.log(ref, calls[ref].states.length); } }
var self = { name: "outer" }; function cb(fn) { fn("v"); } cb(function(v) { console.log(self.name, v); });
var total = 0, list = [5, "6", null, 7]; for (var i = 0; i < list.length; i++) { total += Number(list[i]) || 0; } console.log(total, i);
var s = ""; for (var j = 3; j--;) { s += j; } console.log(s, j);
var fnTable = { add: function(a, b) { return a + b; }, mul: (a, b) => a * b }; ["add", "mul"].forEach(n => console.log(n, fnTable[n](3, 4)));
var queue = [1, 2, 3], item; while ((item = queue.shift()) !== undefined) { console.log("item", item); if (item == 1) queue.push(9); }
var v1 = 5; { let v1 = 6; console.log(v1); } console.log(v1);
function outer() { var r = []; for (let i = 0; i < 2; i++) { for (let j = 0; j < 2; j++) { r.push(() => i + ":" + j); } } return r.map(f => f()).join(); } console.log(outer());
var o1 = { get: function() { return 1; }, "for": 2, class: 3, null: 4 }; console.log(o1.get(), o1.for, o1.class, o1.null);
var None = 1, print = 2, len = 3, str = "s", def = 4, lambda = 5, pass = 6; console.log(None + print + len + def + lambda + pass, str);
var fooBar = 1, foo_bar = 2; console.log(fooBar, foo_bar);
let a = 1; const inc = () => ++a; inc(); inc(); console.log(a);
const add = x => y => x + y; console.log(add(1)(2), add("a")("b"), add(1)("b"));
var d = new Date(0); console.log(d.getTime(), new Date(1500).toISOString(), typeof Date.now());
console.log([1,2,3].map(String).join("|"), ["1","2"].map(Number).join(), [0,1,""].filter(Boolean).length, order.map((x, i, arr) => arr.length).join());
console.log("a" < "B", "a".localeCompare("b"), "Z".toLowerCase(), " x".trimStart(), "abcabc".lastIndexOf("b"), "abc".indexOf("c", 1));
var arr = [1, 2]; arr[2] = 3; arr[arr.length] = 4; console.log(arr.length, arr[9], arr[-1], arr.join()); arr.length = 1; console.log(arr.join());
var big = { x: { y: null } }; console.log(big.x.y, big.x.z, big.w === undefined, (big.x.y || {}).q);
function Ctor(opts) { opts = opts || {}; this.v = opts.v || "d"; var that = this; this.get = function() { return that.v; }; } console.log(new Ctor().get(), new Ctor({ v: 2 }).get());
console.log(typeof null, typeof undefined, typeof {}, typeof [], typeof "", typeof 1, typeof true, typeof cb);
var t0 = true; t0 &= false; var bits = 6; bits |= 1; bits ^= 2; bits <<= 2; console.log(t0, bits, bits >>> 1);
label: { console.log("in block"); }
if (0) console.log("no"); else if ("") console.log("no"); else console.log("yes");
for (const [k, { n }] of Object.entries(calls)) console.log(k, n);
var str2 = 'it\'s "q" \u00e9 \x41 \
joined'; console.log(str2, `multi
line ${1 + 1}`);
console.log([..."abc"].join("-"), [..."ab"].length, Object.assign({}, {a: 1}, {b: 2}).b, {...{a: 1}, b: 3}.b);
var c1 = [3, 1, 2], c2 = c1; c2.sort(); console.log(c1.join(), c1 === c2, [1] === [1], c1 == "1,2,3");
console.log((() => 3)(), !function() { return 0; }());
console.log(5..toString(), 1.50.toFixed(1), .5 + .5, 0x1f, 1e3, 0b11, 1_000);
console.log(isNaN("x"), isNaN("5"), parseFloat("3.14abc"), parseInt("abc", 10), Infinity > 1, -Infinity, NaN);
(function() { const R = { fr: /^0\d+$/ }; console.log(R.fr.test('012'), R.fr.test('x')); const rules = [{ re: /^0800/, label: 'free' }, { re: /^01/, label: 'paid' }]; console.log(rules.find(r => r.re.test('0123')).label); class P { static RE = /^\d+$/; ok(s) { return P.RE.test(s); } } console.log(new P().ok('12'), new P().ok('a')); console.log([/a/, /b/].some(r => r.test('b'))); })();
(function() { var o = { str: () => 2, len() { return 3; }, sorted(f) { return f(1); } }; console.log([1, 2].join(), ['b', 'a'].slice().sort().join(), o.sorted(x => x), o.len()); })();
