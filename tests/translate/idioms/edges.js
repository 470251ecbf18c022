(function() { console.log(-7 % 3, 7 % -3, -7 % -3, 5.5 % 2, -0.5 % 1); })();
(function() { console.log(7/2, 6/2, 1/3, 0/0, 1/0, -1/0); })();
(function() { var a = 7, b = 2; console.log(a/b, Math.floor(a/b), a/b|0, ~~(-a/b), a % b, -a % b); })();
(function() { console.log(parseInt('12px'), parseInt('0x1f'), parseInt('abc'), parseInt(''), parseInt('  42  '), parseInt('-3.9'), parseInt('1e3'), parseInt('101', 2), parseInt('zz', 36), parseInt(null)); })();
(function() { console.log(Number(''), Number(' 12 '), Number('1e3'), Number('0x10'), Number('abc'), Number(null), Number(undefined), Number(true), Number([]), Number([5]), Number('1,2'), Number('Infinity'), Number('-0')); })();
(function() { console.log(parseFloat('3.14abc'), parseFloat('.5'), parseFloat('-.5e2x'), parseFloat('abc'), parseFloat('1e'), parseFloat('Infinityx')); })();
(function() { var xs = [10, 9, 1, 100, 2]; xs.sort(); console.log(xs); })();
(function() { console.log([3,1,2].sort((a,b) => b - a), ['b','a'].sort().reverse()); })();
(function() { console.log('1' == 1, 0 == '', null == 0, null == undefined, '0' == false, [] == false, [1] == 1, NaN == NaN, 'a' == 'a', '' == null, undefined == 0); })();
(function() { var v = ['1', 1, 0, '', null, undefined, false, true, '0', NaN]; var out = []; for (var i = 0; i < v.length; i++) for (var j = 0; j < v.length; j++) if (v[i] == v[j]) out.push(i + ':' + j); console.log(out.join(' ')); })();
(function() { console.log('a' + 1, 1 + 'a', 1 + 2 + 'a', 'a' + 1 + 2, 1 + null, 1 + undefined, 'a' + null, 'a' + undefined, true + 1, 'x' + 1.0, 'x' + 0.1, 'x' + 1e21, 'x' + 1e-7, 'x' + 123456789012345680000); })();
(function() { console.log(5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 31, 1 << 32, -1 >>> 0, -1 >>> 28, -5 >> 1, 4294967296 | 0, 2147483648 | 0, 1.9 | 0, -1.9 | 0); })();
(function() { var fs = []; for (var i = 0; i < 3; i++) { fs.push(function() { return i; }); } console.log(fs.map(f => f()).join()); })();
(function() { let fs = []; for (let i = 0; i < 3; i++) { fs.push(() => i); } console.log(fs.map(f => f()).join()); })();
(function() { let fs = []; for (const x of [1,2,3]) { fs.push(() => x * 2); } console.log(fs.map(f => f()).join()); })();
(function() { console.log(x); var x = 5; console.log(x); function f() { console.log(y); if (true) { var y = 2; } console.log(y); } f(); })();
(function() { console.log(typeof foo, typeof bar()); function bar() { return 'x'; } var foo = 3; console.log(typeof foo); })();
(function() { class A { constructor(x) { this.x = x; } get double() { return this.x * 2; } set double(v) { this.x = v / 2; } static make(x) { return new A(x); } toString() { return 'A' + this.x; } } var a = A.make(3); a.double = 10; console.log(a.double, a.x, '' + a, `${a}`, String(a)); })();
(function() { class A { constructor() { this.n = 1; } hi() { return 'A' + this.n; } } class B extends A { constructor() { super(); this.m = 2; } hi() { return super.hi() + 'B' + this.m; } } console.log(new B().hi(), new B() instanceof A, new A() instanceof B); })();
(function() { const { a, b: { c = 5, d: [e, f = 7] = [] } = {}, ...rest } = { a: 1, b: { d: [3] }, g: 9, h: 10 }; console.log(a, c, e, f, rest.g, rest.h, Object.keys(rest).join()); })();
(function() { function f({ a = 1, b: { c = 2 } = {} } = {}, [x, y = x + 1] = [10], ...more) { return [a, c, x, y, more.length].join(); } console.log(f(), f({ a: 5, b: { c: 6 } }, [1], 2, 3), f({ b: {} }, [4, 5])); })();
(function() { let a = 1, b = 2; [a, b] = [b, a]; console.log(a, b); let o = {}; [o.x, o['y']] = [3, 4]; console.log(o.x, o.y); })();
(function() { var x = (1, 2, 3); console.log(x); for (var i = 0, j = 10; i < j; i += 3, j--) console.log(i, j); })();
(function() { console.log('2024-05-06'.replace(/(\d+)-(\d+)-(\d+)/, '$3/$2/$1'), 'aaa'.replace('a', 'b'), 'aaa'.replaceAll('a', 'b'), 'abc'.replace(/b/, m => m.toUpperCase() + '$&')); })();
(function() { var a = new Date(2024, 1, 29), b = new Date(2024, 2, 1); console.log((b - a) / 86400000, b > a, a.getTime() === new Date(2024, 1, 29).getTime(), Math.round((b - a) / 1000)); })();
(function() { console.log(Array.from('abc').join(), Array.from({ length: 3 }, (_, i) => i * i).join(), Array.from(new Set([1, 1, 2])).join(), Array.from([1, 2], x => x + 1).join(), Array.from(new Map([[1, 2]]).keys()).join()); })();
(function() { var m = new Map(); m.set('a', 1).set('b', 2); m.forEach((v, k) => console.log(k, v)); for (const [k, v] of m) console.log(k, v); console.log(m.size, m.get('zz'), m.has('a'), [...m.keys()].join(), [...m.values()].join(), m.delete('a'), m.delete('a')); })();
(function() { var s = new Set([3, 1, 3]); s.add(2).add(1); console.log([...s].join(), s.size, s.has(1), s.delete(9)); s.forEach(x => console.log(x)); for (var x of s) console.log(x + 1); s.clear(); console.log(s.size); })();
(function() { var o = { b: 1, a: 2, 10: 'x', 2: 'y' }; console.log(Object.keys(o).join(), Object.values(o).join(), JSON.stringify(Object.entries(o))); for (const [k, v] of Object.entries(o)) console.log(k, v); for (var k in o) console.log(k, typeof k); })();
(function() { let x; console.log(x); console.log('' + x, `${x}`, [x], { a: x }); })();
(function() { function f(a, b) { console.log(a, b); return; } f(1); f(1, 2, 3); console.log(f(0)); })();
(function() { const f = (a, b = a * 2, ...c) => a + b + c.length; console.log(f(1), f(1, 1), f(1, 1, 1, 1), f(1, undefined)); })();
(function() { var a = [1, 2, 3]; a.length = 1; console.log(a); a[3] = 9; console.log(a.length); })();
(function() { var a = [5, 1, 4]; var b = a.sort(); console.log(a === b, a.join()); var c = a.slice().reverse(); console.log(c.join(), a.join()); })();
(function() { var a = [1, 2, 3, 4, 5]; console.log(a.splice(1, 2).join(), a.join()); a.splice(-1); console.log(a.join()); a.splice(1, 0, 'x', 'y'); console.log(a.join()); })();
(function() { console.log([1, [2, [3, [4]]]].flat().length, [1, [2, [3]]].flat(Infinity).join(), [[1], [2]].flatMap(x => x).join()); })();
(function() { console.log('abc'.slice(-2), 'abc'.substring(2, 0), 'abc'.substr(-2, 1), 'abc'.charAt(5), 'abc'.charCodeAt(1), 'abc'.at(-1), 'a,b,,c'.split(',').length, 'abc'.split('').join('-'), 'a b c'.split(' ', 2).join()); })();
(function() { console.log(0.1 + 0.2, 1e300 * 1e10, 2 ** 53 + 1, 9007199254740993, 2 ** 0.5, (-8) ** (1 / 3), 10 ** -2, 2 ** -1); })();
(function() { console.log(!!'', !!'0', !!0, !!NaN, !!null, !![], !!{}, !!'false', !!-0, !!function() {}); })();
(function() { var n = null; console.log(n?.x, n?.x.y.z, n?.[0], n?.f(), (n || {}).a, n ?? 'd'); var o = { f: null, g() { return 1; } }; console.log(o.f?.(), o.g?.(), o.h?.()); })();
(function() { let a = null; a ??= 5; let b = 0; b ||= 7; let c = 1; c &&= 9; console.log(a, b, c); let o = {}; o.x ??= []; o.x.push(1); o.n = (o.n || 0) + 1; console.log(o.x.length, o.n); })();
(function() { function f(x) { switch (x) { case '1': return 'str'; case 1: return 'num'; case true: return 'bool'; case null: return 'null'; } } console.log(f('1'), f(1), f(true), f(null), f(2)); })();
(function() { try { null.x; } catch (e) { console.log(e instanceof TypeError, e.name); } finally { console.log('fin'); } })();
(function() { try { undefinedFn(); } catch (e) { console.log(e.name); } })();
(function() { class MyErr extends Error { constructor(m, code) { super(m); this.name = 'MyErr'; this.code = code; } } try { throw new MyErr('bad', 7); } catch (e) { console.log(e.name, e.message, e.code, e instanceof MyErr, e instanceof Error, String(e)); } })();
(function() { var key = 'k'; var o = { [key + 1]: 1, 'a-b': 2, 3: 4, key }; console.log(o.k1, o['a-b'], o[3], o['3'], o.key, 'k1' in o, 3 in o, o.hasOwnProperty('key')); })();
(function() { var o = { a: 1, b: 2 }; delete o.a; console.log('a' in o, Object.keys(o).length, o.a); for (var k in o) { console.log(k + '=' + o[k]); } })();
(function() { var a = { x: 1 }; var b = a; b.x = 2; console.log(a.x, a === b, { x: 1 } === { x: 1 }, [1] == [1], [1, 2] + '', String([1, [2, 3]]), String({}), '' + null, [] + {}, [null] + ''); })();
(function() { var counter = (function() { var n = 0; return { inc: function() { return ++n; }, get: () => n }; })(); counter.inc(); counter.inc(); console.log(counter.get()); })();
(function() { class C { #p = 1; static s = 5; f = 2; inc() { this.#p++; return this.#p + this.f + C.s; } static #q = 3; static q() { return C.#q; } } console.log(new C().inc(), C.q()); })();
(function() { class T { constructor() { this.n = 0; this.tick = this.tick.bind(this); } tick() { this.n++; return this.n; } } const t = new T(); const f = t.tick; f(); console.log(f(), t.n); })();
(function() { class T { n = 0; tick = () => { this.n++; return this.n; } } const t = new T(); const f = t.tick; f(); console.log(f(), t.n); })();
(function() { var i = 0; var a = [i++, i++, ++i]; console.log(a.join(), i); var b = i++ + ++i; console.log(b, i); a[i - 5] = i--; console.log(a.join(), i); })();
(function() { var s = 0; for (var x of [1, 2, 3, 4]) { if (x % 2) continue; s += x; } do { s++; } while (s < 10); while (true) { if (s++ > 12) break; } console.log(s); for (;;) { break; } })();
(function() { var s = ''; for (const c of 'héllo') s = c + s; console.log(s); for (var i in [7, 8]) console.log(i, typeof i); for (const [i, c] of [...'ab'].entries()) console.log(i, c); })();
(function() { console.log(void 0, typeof void 0, (1, 2), !1, +true, -'5', +'', +[], +{}, ~'3', - -1, +new Date(5)); })();
(function() { console.log('b' > 'a', 'B' > 'a', '10' < '9', 10 < '9', 'a' < 1, null >= 0, undefined >= 0, [2] > 1, '2' > '12', 2 > '12', true > false); })();
(function() { console.log(x); var x = 5; console.log(x); function f() { console.log(y); if (true) { var y = 2; } console.log(y); } f(); })();
(function() { var NS = NS || {}; NS.a = 1; console.log(NS.a); })();
(function() { function f(c) { if (c) { var y = 'a'; } return 'v' + y; } console.log(f(true), f(false)); })();
(function() { for (var i = 0; i < 2; i++) {} console.log(i); for (var i = 0; i < 3; i++) { var last = i; } console.log(i, last + 1, 'l' + last); })();
(function() { for (var k in { a: 1 }) {} console.log(k); for (var v of [4]) { } console.log(v + 1); })();
(function() { console.log(parseInt('12px'), parseInt('0x1f'), parseInt('abc'), parseInt(''), parseInt('0x1f', 16), parseInt('08'), parseInt('1e3', 10), parseInt('101', 2), parseInt('zz', 36), parseInt('9', 8), parseInt('9', 1)); var b = 2; console.log(parseInt('11', b), ['1', '2', '3'].map(parseInt).join(), parseInt(3.7), parseInt('-0x10')); })();
(function() { var fib = function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2); }; console.log(fib(10)); const o = { g: function h(n) { return n ? n + h(n - 1) : 0; } }; console.log(o.g(3)); [3].forEach(function again(n) { if (n) { console.log(n); again(n - 1); } }); })();
(function() { console.log('x' + 123456789012345680000, 12345678901234567890 + '', `${99999999999999999999}`); })();
(function() { var a = [1, 2, 3]; for (var i = a.length; i--;) { console.log(a[i]); } for (var i = 0, n = a.length; i < n; ++i) { a[i] *= 2; } console.log(a.join()); })();
(function() { var x = 5; { let x = 6; console.log(x); } console.log(x); function f(x) { { let x = 1; x++; } return x; } console.log(f(9)); if (true) { const x = 'in'; console.log(x); } })();
(function() { let i = 10; for (let i = 0; i < 2; i++) { console.log(i); } console.log(i); })();
(function() { console.log(Object.entries({ a: 1, b: 2 }).map(([k, v]) => `${k}=${v}`).join('&'), Object.keys({}).length === 0, Object.values({ x: [1] })[0][0], Object.freeze({ a: 1 }).a); })();
(function() { var g = {}; ['a', 'bb', 'cc'].forEach(w => { (g[w.length] = g[w.length] || []).push(w); }); console.log(JSON.stringify(g)); var cnt = ['a', 'b', 'a'].reduce((m, w) => { m[w] = (m[w] || 0) + 1; return m; }, {}); console.log(cnt.a, cnt.b, cnt.c); })();
(function() { const people = [{ n: 'Bo', a: 3 }, { n: 'Al', a: 3 }, { n: 'Cy', a: 1 }]; people.sort((x, y) => x.a - y.a || x.n.localeCompare(y.n)); console.log(people.map(p => p.n).join()); console.log(people.find(p => p.a > 5), people.findIndex(p => p.n == 'Cy'), people.some(p => p.a == 1), people.every(({ a }) => a > 0)); })();
(function() { if (a = 5) { console.log(a); } var a; var b = c = 3; console.log(b, c); var x = y => y; var q = x(4) + (x, x)(5); console.log(q); })();
(function() { var i = 5; while (i --> 0) { if (i == 3) continue; if (i == 1) break; console.log(i); } })();
(function() { console.log(1/-0); })();
(function() { console.log((1e21).toFixed(2), 2 ** 10, (5).toFixed(), ['b','a'].sort().reverse().join(), new Date(2024, 11, 31, 23, 59, 60).getFullYear(), new Date(2024, 1, 30).getDate(), new Date(99, 0).getFullYear(), new Date(2024, 0, 1, 1, 2, 3, 4).getMilliseconds()); })();
(function() { var y = 2024, m = 12; var d = new Date(y, m, 0); console.log(d.getDate(), d.getMonth()); var e = new Date(y, m - 13, d.getDate() + 7); console.log(e.getMonth(), e.getDate()); })();
(function() { console.log(Number.isNaN('abc'), Number.isNaN(NaN)); var q = JSON.parse('{"a": 1}'); console.log(Number.isNaN(q.a)); })();
(function() { var h = 7; for (const c of 'hello world this is long') { h = (h * 31 + c.charCodeAt(0)) | 0; } console.log(h); })();
(function() { var h = 7; for (const c of 'hello world this is long') { h = ((h << 5) - h + c.charCodeAt(0)) >>> 0; } console.log(h.toString(16)); })();
(function() { console.log(new Error('x').message, String(new TypeError('t')), [new Error('e')].length); })();
(function() { var s = 'abc'; console.log(s[0], s['length'], s[5], s[s.length - 1], s.split('').reverse().join(''), s.concat('d', 1), s > 'abb'); })();
(function() { function outer() { var x = 1; function inner() { x++; return x; } return inner; } var f = outer(), g = outer(); f(); console.log(f(), g()); })();
(function() { var obj = { val: 1, inc() { this.val++; return this; }, get() { return this.val; } }; console.log(obj.inc().inc().get()); var { val } = obj; console.log(val); })();
(function() { var users = [{ id: 1, name: 'A', tags: ['x', 'y'] }, { id: 2, name: 'B', tags: [] }]; var byId = {}; users.forEach(function(u) { byId[u.id] = u; }); console.log(byId[1].name, byId['2'].tags.length, Object.keys(byId).join(), users.map(({ name, tags: [t = 'none'] }) => name + t).join()); })();
(function() { var s1 = new Set([1, 2, 3]), s2 = new Set([2, 3, 4]); console.log([...s1].filter(x => s2.has(x)).join(), [...new Set([...s1, ...s2])].length, [...s1].map(x => x * 2).join()); })();
(function() { console.log([1, true, '1'].indexOf(true), [0, false].includes(false), [1] == 1, true == 1, true === 1, [true].includes(1)); })();
(function() { var o = {}; o[1] = 'a'; o[true] = 'b'; o[null] = 'c'; o[1.5] = 'd'; console.log(Object.keys(o).join(), o['1'], o['true'], o['1.5']); })();
(function() { var i = 0; var r = []; while (i < 5) { i++; if (i === 2) continue; r.push(i); } console.log(r.join()); for (var a = 0, b = 5; a < b; a++, b--) r.push(a * b); console.log(r.length, a, b); })();
(function() { for (let i = 0; i < 5; i++) { if (i == 2) { i++; } console.log(i); } for (let i = 10; i >= 0; i -= 4) console.log(i); for (let i = 0.5; i < 2; i += 0.5) console.log(i); })();
(function() { var n = 3; for (var i = 0; i < n; i++) { if (i == 1) n = 5; console.log(i); } var arr = [1, 2]; for (var j = 0; j < arr.length; j++) { if (arr.length < 5) arr.push(j); } console.log(arr.join()); })();
(function() { var arr = [1, 2, 3]; for (var x of arr) { if (arr.length < 5) arr.push(x * 10); } console.log(arr.join()); arr.forEach(function(x, i) { if (x > 5) arr[i] = 0; }); console.log(arr.join()); })();
(function() { var a = 5, b = a++ + ++a, c = a-- - --a; console.log(a, b, c); a += a++ + a; console.log(a); a **= 2; a %= 7; a <<= 2; a |= 1; a ^= 3; a >>= 1; a >>>= 1; a &= 6; console.log(a); })();
(function() { var x = 10; function f() { x = x || 5; x -= 3; return x; } console.log(f() + f() * f()); var s = ''; s += 1; s += null; s += [1, 2]; s += true; console.log(s); var u; u += 1; console.log(u); var w; w += 'a'; console.log(w); })();
(function() { var Mod = { init: function() { this.x = 1; this.setup(); }, setup: function() { var that = this; [1, 2].forEach(function(v) { that.x += v; }); } }; Mod.init(); console.log(Mod.x); })();
(function() { (function(root) { root.lib = { v: 1 }; })({}); (() => { console.log('iife'); })(); !function() { console.log('bang'); }(); var r = (function() { return 5; })(); console.log(r); (async function() { console.log('as'); })(); })();
(function() { console.log(((x) => { if (x) return 'a'; })(0), (() => ({ a: 1 }))().a, (() => {})(), (x => y => x + y)(1)(2)); })();
(function() { var t = true, f = false; console.log(t + t, t - f, t * 5, t / 2, +t, t > f, t == '1', f == '', f == null, t & 1, t ? f ? 1 : 2 : 3, !t + 1, `${t}`, 'x' + t, String(f), t.toString(), [t] + ''); })();
(function() { console.log(null + 1, null + 'a', undefined + 1, [] + [], {} + [], [1] + 1, [1, 2] * 1, '5' * '2', '5' - 2, '5' + - '2', 'a' - 1, null * 5, undefined * 5, true + 'x', '3' ** 2, '7' % 4, -'3'); })();
(function() { function f(x) { if (x == null) return 'none'; if (x === 0) return 'zero'; if (!x) return 'falsy'; return 'some'; } console.log(f(), f(null), f(0), f(''), f([]), f('0'), f(NaN)); })();
(function() { const wait = (ms, v) => ({ ms, v }); console.log(wait(1, 2).v, ((a, { b } = {}) => b)(1)); function d({ a, b = a }) { return a + b; } console.log(d({ a: 1 })); })();
(function() { var str = "The quick"; console.log(str.replace(/quick/, function(m) { return m.length; }), str.split(/\s+/).length, str.match(/(\w+) (\w+)/)[2], /THE/i.test(str), str.replace(/(\w)(\w*)/g, (m, a, b) => b + a)); })();
(function() { console.log([3, 1, 2].sort((a, b) => a > b).join()); })();
(function() { console.log([3, 1, 2].sort((a, b) => a > b ? 1 : -1).join()); })();
(function() { console.log(['b', undefined, 'a'].sort().join(), [true, false].sort().join(), [[2], [10], [1]].sort().join()); })();
(function() { console.log('a-b'.split('-', 1).join(), ''.split(',').length, ''.split('').length, 'abc'.split().length, 'a1b2'.split(/\d/).join('|'), 'a1b2'.split(/(\d)/).join('|')); })();
(function() { var d = JSON.parse('{"list": [3, 1, 2], "s": "b,a"}'); console.log(d.list.length, d.list.map(x => x * 2).join(), d.s.split(',').sort().join(), d.list.slice(1).length, d.s.slice(1), d.list.indexOf(2), d.s.indexOf('a'), d.list.includes(3), d.s.includes('b'), d.s.toUpperCase()); })();
(function() { function f(x) { return x + 1; } console.log(f(1), f('1'), f(null), f(true), f([1])); function h(x, y) { return x < y; } console.log(h(2, 10), h('2', '10'), h('2', 10)); })();
(function() { function f(x) { return x ? 'y' : 'n'; } console.log(f(''), f([]), f({}), f('0'), f(0), f(null), f(NaN), f(' '), f(-1)); })();
(function() { var f = (x) => { switch (x) { case 0: return 'z'; case '0': return 's'; default: return 'd'; case false: return 'f'; } }; console.log(f(0), f('0'), f(false), f(5), f('')); })();
(function() { var s = 'x'; switch (s) { case 'a': { let q = 1; console.log(q); break; } case 'x': { let q = 2; console.log(q); break; } } })();
(function() { for (var i = 0; i < 3; i++) { switch (i) { case 1: continue; } console.log(i); } })();
(function() { var total = 0; [1, 2, 3].forEach(function(n) { if (n === 2) return; total += n; }); console.log(total); var found; [1, 2, 3].some(function(n) { if (n > 1) { found = n; return true; } return false; }); console.log(found); })();
(function() { var a = [[1, 2], [3, 4]]; for (const [x, y] of a) { console.log(x + y); } for (const row of a) { for (const c of row) { if (c === 3) break; console.log(c); } } a.forEach(([x, y], i) => console.log(x, y, i)); })();
(function() { var o = { a: { b: { c: 1 } } }; var { a: { b: { c, d = 4 } } } = o; console.log(c, d); ({ a: o.z } = o); console.log(o.z.b.c); var [x = 1, y = x] = []; console.log(x, y); var [[p], { q }] = [[1], { q: 2 }]; console.log(p, q); for (const { a: { b } } of [o]) console.log(b.c); })();
(function() { class P { constructor(n) { this.n = n; } eq(o) { return this.n === o.n; } } const p = new P(1), q = new P(1); console.log(p === q, p.eq(q), p == p, [p].includes(p), [p].indexOf(q)); })();
(function() { class B { constructor(x = 5, ...r) { this.x = x; this.r = r; } sum() { return this.r.reduce((a, b) => a + b, this.x); } } class C extends B { sum() { return super.sum() * 2; } get x2() { return this.x * 2; } } console.log(new B().sum(), new C(1, 2, 3).sum(), new C().x2); })();
(function() { var f = []; for (var i = 0; i < 3; i++) { (function(j) { f.push(function() { return j; }); })(i); } console.log(f.map(function(g) { return g(); }).join()); var h = {}; for (var k of ['a', 'b']) { h[k] = () => k; } console.log(h.a(), h.b()); })();
(function() { console.log(0.1 * 3, 1 / 3, 100 * 1.1, 1e-7, 1.0, 5e-324, 123e-20, 1.7976931348623157e308, 0.000001, 1e20 + 1, 2e21, -1e-7, 4.35 * 100, 1.15.toFixed(1), 1.25.toFixed(1), (-1.5).toFixed(0), (2.5).toFixed(0), 1e-10.toFixed(2)); })();
(function() { console.log(10 / 5, 10 % 5, 10 / 4, 7 % 2.5, -1 % 2, 2 ** 3 ** 2, (-2) ** 2, 5 / 2 | 0, 5 / 2 >> 0, Math.floor(5 / 2), 9 / 3 + 'x', 7 / 2 + 'x', [6 / 2].join(), `${8 / 2}`, 6 / 4 * 2); })();
(function() { var sec = 3725; var h = Math.floor(sec / 3600), m = Math.floor(sec % 3600 / 60), s = sec % 60; console.log([h, m, s].map(v => String(v).padStart(2, '0')).join(':'), (h < 10 ? '0' + h : h) + ':' + ('0' + m).slice(-2)); })();
(function() { console.log(Boolean([]) === true, [] == '', [0] == false, [1, 2] == '1,2', ({}) == '[object Object]', null == false, undefined == false, NaN != NaN, '1' === 1, 1 === 1.0, '\n' == 0, ' 12 ' == 12, 'a' == 'A'.toLowerCase()); })();
(function() { console.log(JSON.stringify({ d: 1.0, e: 1e21, f: -0, g: [1.5, 'x'], h: { i: true } }), JSON.stringify({ b: 1, a: 2 }, null, 2), JSON.stringify([]), JSON.stringify({}), JSON.stringify([[]], null, 2), JSON.stringify("é\u2028"), JSON.stringify({ 2: 'b', 1: 'a' })); })();
(function() { let log = []; const p = { get: k => log.push(k) }; p.get('a'); p.get('b'); console.log(log.length, log.join()); var z = log.push('c') + 1; console.log(z); })();
(function() { var a = 1; var b = a === 1 ? a > 0 ? 'p' : 'n' : 'z', c = !(a && 0) || null, d = (a, 5); console.log(b, c, d, a && 'and', 0 || 'or', null ?? 0, (a || b) && c); })();
(function() { do { var q = 1; } while (false); console.log(q); if (1) var w = 2; console.log(w); for (;;) { if (w++ > 3) break; } console.log(w); while (w-- > 0); console.log(w); })();
(function() { var fnA = function() { return fnB(); }; var fnB = () => 'b'; console.log(fnA()); console.log(hoisted()); function hoisted() { return inner(); function inner() { return 'in'; } } { function blockFn() { return 'blk'; } } console.log(blockFn()); })();
(function() { function dup(a) { return 1; } function dup(a) { return 2; } console.log(dup()); var v = 1; function v2() {} var v2 = 5; console.log(typeof v2, v); })();
(function() { console.log(1); return; console.log(2); })();
(function() { var a = 08; var b = 010; var c = 0o17, d = 0b11, e = 0xFF, f = 1_000; console.log(a, b, c, d, e, f); })();
(function() { var u; console.log(u); function f() { var a; if (u) { a = 1; } return a; } console.log(f()); })();
(function() { var n = 0; function g() { n++; return 2.5; } console.log(Math.sign(g()), n); })();
(function() { var n = 0; function g() { n++; return 2.5; } console.log(Number.isInteger(g()), n); })();
(function() { for (var i = 0; i < 2; i++) { var x = x ? x + 1 : 1; } console.log(x); var y = y || 'd'; console.log(y); })();
(function() { switch (1) { case 1: var z = 5; break; default: z = 6; } console.log(z); try { var t = 1; } catch (e) { t = 2; } console.log(t + 1); })();
(function() { function f(x) { if (x) { var r = 'a'; } else { r = 'b'; } return r; } console.log(f(1), f(0)); })();
(function() { console.log(Math.sign(-2), Math.sign(0), Math.sign('x'), Math.sign(2.5), Number.isInteger('5'), Number.isInteger(5), Number.isInteger(-2.0), Number.isInteger(NaN), Number.isInteger(Infinity), Number.isInteger(null)); var q = 3; console.log(Math.sign(q - 4), Math.sign(q), Number.isInteger(q / 2)); })();
(function() { console.log(0.5 + (3 + 1) === null, 'a' == null, [] === undefined, ({}) != null, (1 + 2) ?? 'x', true ?? 1, `a` === null, -1 === null, [1][5] === undefined, 1e5 == null, {a: 1}.a === undefined, [1, 2].length == null, [null][0] === null); })();
(function() { var a = [1]; console.log([...a, 2] === null, [a[4]][0] === undefined, { x: a }['y'] === undefined); })();
(function() { var e = null; console.log(e + 1 === null, e === null, (e) == null, e - 1 == null); })();
(function() { var t = 5; console.log(false != (t < 3), true === (t > 3), false == (t < 3), 5 === t, 'a' !== 'b', true != t > 1, 1 == (t > 3), false !== (t > 9)); })();
(function() { console.log('abc'.replace(/(a)(b)?(z)?/, '[$1$2$3]'), 'x'.replace(/x/, '$$'), 'ab'.replace(/(a)(b)/, '$2$1$0$3'), 'ab'.replace(/(a)/, '$$1'), 'ab'.replace(/(a)/, '$12')); })();

{ const table = { b: 1, c: 2 }; const gone = delete table.b; console.log(gone, delete table.x, table); }
for (let i = 0; i < 3; i++) { try { if (i === 1) { continue; } } finally { console.log('after', i); } }
console.log(parseInt('\uff19'), parseFloat('\u0663'), Number('\u0663'), parseInt('0x1f'), parseInt('1_0'));
console.log(['\x00', '\u001b', 'a\nb\\\t'], { '\u00e9': 5, 'a-b': 1, $x: 2, "it's": 1 });
class Both { get first() { return this.x; } set first(v) { this.x = v * 2; } }
const both = new Both(); both.first = 3; console.log(both.first);

// Loops whose variable is declared before.
function places(list) {
  var found = '', i, n;
  for (i = 0, n = list.length; i < n; i++) { found += list[i]; }
  for (i = 0; i < list.length; i++) { if (list[i] === 'b') { break; } }
  for (var k = 5; k > 3; k--) { found += k; }
  for (var k = 0; k < 2; k++) { found += k; }
  return found + i;
}
console.log(places(['a', 'b', 'c']), places([]));

// Declarations of a name that has a value.
console.log(twice());
function twice() { return 'one'; }
function twice() { return 'two'; }
function keeps(x) { var x; return x; }
console.log(keeps(1));
const Outer = class Inside { static most() { return Inside.LIMIT; } static LIMIT = 4; };
console.log(Outer.most());
var ﬁ = 1, fi = 2; console.log(ﬁ, fi);
function Tag(n) { this.n = n; }
Tag.prototype.toString = function() { return '#' + this.n; };
console.log('' + new Tag(3));

// The order in which places and values are evaluated.
const steps = [];
function place() { steps.push('place'); return 'a'; }
function made() { steps.push('value'); return 1; }
const table2 = {}; table2[place()] = made(); console.log(steps.join(), table2);
let word = 'a'; table2[word += 'b'] = word; console.log(table2);
const list2 = [5, 6]; let at = 0; list2[at++] = 7; list2[at++] = at; console.log(list2, at);

// Functions that get more or fewer arguments than they have parameters.
class Source {
  constructor() { this.handlers = {}; }
  on(name, handler) { (this.handlers[name] = this.handlers[name] || []).push(handler); }
  emit(name, ...values) { (this.handlers[name] || []).forEach(handler => handler(...values)); }
}
const emitter = new Source();
emitter.on('x', a => console.log(a));
emitter.on('x', (a, b, c) => console.log(a, b, c));
emitter.emit('x', 1, 2);
function pair(a, b) { return [a, b].join(); }
console.log(pair(...[1]), pair.apply(null, [1, 2, 3]));

const day1 = new Date(0), day2 = new Date(0);
console.log(day1 === day2, day1 == day2, [day1].indexOf(day2), [day1].includes(day2), day1 === day1);
for (const nothing in null) { console.log(nothing); }
console.log(isNaN(null), isFinite(null), isNaN('x'));
console.log('x-1'.replace(/(\w)-(\d)/, (m, a, b, at, whole) => a + at + whole), 'abab'.replace(/b/g, (m, i) => i));

console.log(/\s/.test('\u00a0'), '1\u202f2\u00a03'.replace(/[\s.]+/g, '-'), /^[\d\s]+$/.test('1\u00a02'), /\d\S/.test('1\u00a0'));
console.log(/É/i.test('é'), /a{,2}/.test('a{,2}'), /a{,2}/.test('a'));
console.log('b'.replace(/(a)|(b)/, (m, x, y) => '' + x + y), 'ab'.replace(/(a)(b)/, (m, x, y) => y + x));
function calls2(x, f) { if (x < 0) { f('negative'); } else { f(null, x); } }
const passes = f => (...values) => f(...values, (e, r) => console.log(e ? 'failed ' + e : r));
passes(calls2)(-1); passes(calls2)(8);

const seen = new Set(), names2 = new Map();
[1, 2, 1].forEach(x => seen.add(x));
const puts = key => names2.set(key, key.length);
console.log(puts('ab') === names2, seen.size, [...names2.values()].join(), names2.delete('ab'), names2.size);

let outer = 1;
function hides() { outer = 2; let b = outer; { let outer = 3; b += outer; } for (let outer of [5]) { b += outer; } return b + outer; }
console.log(hides(), outer);
(function() { try { JSON.parse('{bad'); } catch (e) { console.log(e instanceof SyntaxError, e.name, e instanceof Error, e instanceof TypeError); } })();
(function() { try { throw new RangeError('r'); } catch (e) { console.log(e instanceof RangeError, e.name, e.message, e instanceof Error); } try { throw new Error('r'); } catch (e) { console.log(e instanceof RangeError, e instanceof URIError, e.name); } })();
(function() { for (const n of [2, -1]) { try { console.log('ab'.repeat(n)); } catch (e) { console.log(e instanceof RangeError, e.name, e.message); } } })();
(function() { for (const t of ['%', '%c3%a9', '%ff', 'a%2Fb']) { try { console.log(decodeURI(t), decodeURIComponent(t)); } catch (e) { console.log(e instanceof URIError, e.name, e.message); } } })();
(function() { for (const n of [2, -1]) { try { console.log(new Array(n).length); } catch (e) { console.log(e instanceof RangeError, e.message); } } })();
(function() { for (const n of [2, 101]) { try { console.log((1.5).toFixed(n)); } catch (e) { console.log(e instanceof RangeError, e.name, e.message); } try { console.log((9).toString(n)); } catch (e) { console.log(e instanceof RangeError, e.name); } } })();
(function() { function f(n) { return f(n + 1); } try { f(1); } catch (e) { console.log(e instanceof RangeError, e.name); } })();
(function() { class MyError extends RangeError {} try { throw new MyError('x'); } catch (e) { console.log(e instanceof RangeError, e instanceof MyError, e instanceof Error, e.message, e.name); } })();
(function() { try { throw new EvalError('s'); } catch (e) { console.log(e.name, '' + e); } try { throw new URIError('s'); } catch (e) { console.log(e instanceof URIError, e.name, '' + e); } })();
(function() { const o = {}; o.o = o; try { JSON.stringify(o); } catch (e) { console.log(e instanceof TypeError, e.name); } })();
(function() { outer: for (var i = 0; i < 3; i++) { for (var j = 0; j < 3; j++) { if (j == 1) continue outer; if (i == 2) break outer; console.log(i, j); } console.log('never'); } console.log('out', i); })();
(function() { var n = 0; all: while (true) { for (const x of [1, 2, 3]) { for (const y of [x, x + 1]) { n += y; if (n > 5) break all; if (y === 2) continue all; } } } console.log(n); one: for (const a of [1, 2]) { if (a === 1) continue one; console.log(a); } })();
(function() { rows: for (let i = 0; i < 4; i++) { let k = 0; do { k++; if (k > i) continue rows; if (i === 3) break rows; } while (k < 2); console.log('row', i, k); } })();
(function() { for (const v of [1, 2, 3, 9]) { switch (v) { case 1: console.log('1'); case 3: console.log('3'); case 4: console.log('4'); break; default: console.log('d'); } } })();
(function() { for (const v of [1, 2, 3]) { switch (v) { default: console.log('d'); case 1: console.log('one'); break; case 2: console.log('two'); } } })();
(function() { function f(x) { switch (typeof x) { case 'string': return 's'; case 'number': if (x > 5) break; return 'n'; case 'object': { if (x) { break; } return 'o'; } default: return 'd'; } return 'big'; } console.log(f('a'), f(1), f(9), f(true), f({}), f(null)); })();
(function() { console.log(typeof nowhere === 'undefined', typeof nowhere !== 'undefined', typeof nowhere === 'function'); if (typeof nowhere !== 'undefined') { nowhere(); } })();
(function() { try { throw { code: 5, more: { a: 1 } }; } catch ({ code, more: { a }, z = 7 }) { console.log(code, a, z); } try { throw new RangeError('r'); } catch ({ message, name }) { console.log(name, message); } })();
(function() { const box = { w: 2, h: 3, get area() { return this.w * this.h; }, get side() { return this.w; }, set side(v) { this.w = v; this.h = v; } }; console.log(box.area); box.w = 5; console.log(box.area, box.side); })();
(function() { function count(a, b) { return [arguments.length, a, b].join('|'); } console.log(count(), count(1), count(1, 2, 3)); function opt(x) { if (arguments.length < 1) { return 'none'; } return x; } console.log(opt(), opt(5), opt(undefined)); })();
(function() { const a = [1, 'b', [2]]; console.log(...a); console.log('x', ...a, true); })();
(function() { console.log(/(\w)\1/.test('hello'), /(\w)\1/.test('world'), /(["'])a\1/.test('"a\''), 'aabb'.replace(/(.)\1/g, '<$1>')); })();
(function() { const m = '2024-05'.match(/(?<y>\d+)-(?<m>\d+)/); console.log(m.groups.y, m.groups.m, m.slice(1).join()); console.log('a.b'.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'abc'.replace(/b/, '[$&$&]')); })();
(function() { for (const m of 'a1b2'.matchAll(/([a-z])(\d)/g)) { console.log(m[0], m[1], m[2], m.index); } console.log([...'x1y22'.matchAll(/\d+/g)].map(m => m[0]).join()); })();
(function() { const re = new RegExp('a+', 'g'); console.log('caab'.replace(re, 'x'), new RegExp('^\\d+$').test('123'), 'aXb'.replace(new RegExp('x', 'i'), '-')); const digits = /\d/g; console.log('a1b2'.replace(digits, d => d * 2)); })();
(function() { const d = new Date('2024-01-15T23:45:06Z'); console.log(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCDay(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()); })();
(function() { ['a', 'b'].forEach(console.log); const xs = [1]; xs.forEach(console.log); })();
(function() { function greet(word, mark) { return word + ' ' + this.name + (mark || '.'); } const o = { name: 'Bo' }; console.log(greet.call(o, 'hi'), greet.apply({ name: 'Al' }, ['yo', '!']), greet.bind(o)('hey')); })();
(function() { var d = new Date(2024, 0, 31, 12, 30); d.setMonth(1); console.log(d.getMonth(), d.getDate()); d.setDate(d.getDate() + 30); d.setHours(25, 61); console.log(d.getMonth(), d.getDate(), d.getHours(), d.getMinutes()); d.setTime(0); console.log(d.getTime()); const e = new Date(d); e.setFullYear(2000, 1, 29); console.log(e.getFullYear(), e.getMonth(), e.getDate(), d < e); })();
(function() { const found = /(?<y>\d{4})/.exec('in 2024'); console.log(found.groups.y, found.index, found.input); })();
console.log(/(?<y>\d{4})/.exec('in 2024').groups.y, 'k=v'.match(/=/).index, 'k=v'.match(/(.)=(.)/)[2], 'ab'.match(/b/).input);
(function() { const m = new Map(); m.set('b', 2); m.set('a', 1); const s = [...m.entries()].sort((x, y) => x[1] - y[1]); console.log(s[0][0]); for (const e of m) { console.log(e[0], e.length, Array.isArray(e)); e[1] = 5; console.log(e); } })();
(function() { class P { constructor() { this.a = 1; } toJSON() { return { x: this.a }; } } console.log(JSON.stringify(new P()), JSON.stringify([new P()])); })();
(function() { try { throw { code: 5, message: 'obj' }; } catch (e) { console.log(e.message); } try { throw 'text'; } catch (e) { console.log(e.message); } const [z] = 'abc'.match(/b/) || ['none']; console.log(z); })();
(function() { const re = /(\d+)-(\d+)/, all = /\d/g; const m = '12-34'.match(re); console.log(m[1], '1-2 3-4'.match(all).join()); console.log('2024-05'.replace(/(?<y>\d+)-(?<m>\d+)/, '$<m>/$<y>$<z>!'), 'a'.replace(/a/, '$<b>')); })();
(function() { class E { constructor() { this.h = new Map(); } on(t, f) { if (!this.h.has(t)) this.h.set(t, []); this.h.get(t).push(f); } emit(t, ...a) { for (const f of this.h.get(t) ?? []) f(...a); } } const e = new E(); e.on('x', ({ contact }, r) => console.log(contact, r)); e.on('y', rec => console.log(rec.status)); e.emit('x', { contact: 1 }, 2); })();
(function() { function f() { return Array.prototype.slice.call(arguments, 1); } console.log(f(1, 2, 3).join()); function g() { return [].slice.call(arguments); } console.log(g(1,2).join()); })();
(function() { console.log(Object.fromEntries([['a', 1], ['b', 2]]).b); console.log(Object.fromEntries(Object.entries({ a: 1 }).map(([k, v]) => [k, v + 1])).a); console.log(Object.fromEntries(new Map([['k', 'v']])).k); })();
(function() { outer: { console.log('a'); for (var i = 0; i < 3; i++) { if (i == 1) { break outer; } console.log(i); } console.log('b'); } console.log('c'); one: { if (i) { break one; } console.log('d'); } })();
(function() { const o = { forEach(f) { f('own'); }, length: 7 }; o.forEach(x => console.log(x)); class B { constructor() { this.l = [1, 2]; } forEach(f) { for (const x of this.l) f(x); } } new B().forEach(x => { console.log(x); console.log('-'); }); })();
(function() { var r = (() => { if (!r) return 'early'; return 'late'; })(); console.log(r); var a = [1, 2].map(function (x) { return a ? 1 : x; }); console.log(a.join()); function f() { var r = g(); function g() { return typeof r; } return r; } console.log(f()); })();
