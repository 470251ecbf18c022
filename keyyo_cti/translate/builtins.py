"""What the translator knows of JavaScript's own objects and of a browser's: the types."""

from __future__ import annotations

from .types import ANY, BOOL, FLOAT, INT, KEYYO, NAN, NAT, PAGE, STR, UNDEF

#: Names that every page finds, beside the namespaces.
GLOBALS = {
    "Keyyo": KEYYO, "window": PAGE, "document": PAGE, "navigator": PAGE, "location": PAGE,
    "jQuery": PAGE, "$": PAGE, "history": PAGE, "React": PAGE, "ReactDOM": PAGE, "screen": PAGE,
    "Notification": PAGE, "Audio": PAGE, "Image": PAGE, "alert": PAGE, "confirm": PAGE,
    "prompt": PAGE, "NaN": NAN, "Infinity": NAN, "arguments": ANY, "Vue": PAGE, "angular": PAGE,
    "requestAnimationFrame": PAGE, "Event": PAGE, "CustomEvent": PAGE, "FormData": PAGE,
    "XMLHttpRequest": PAGE, "URLSearchParams": PAGE, "URL": PAGE, "bootstrap": PAGE, "self": PAGE,
    "AbortController": PAGE, "MutationObserver": PAGE, "WebSocket": PAGE, "matchMedia": PAGE,
    "getComputedStyle": PAGE, "Headers": PAGE,
}

#: Objects of functions.
NAMESPACES = frozenset({
    "Math", "JSON", "Object", "Array", "String", "Number", "Boolean", "Date", "console", "Promise",
    "localStorage", "sessionStorage", "Symbol", "Map", "Set", "RegExp", "Error", "TypeError",
    "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "parseInt",
    "parseFloat", "isNaN", "isFinite", "setTimeout", "setInterval", "clearTimeout",
    "clearInterval", "fetch", "encodeURIComponent", "decodeURIComponent", "encodeURI",
    "decodeURI", "queueMicrotask", "Function", "globalThis", "BigInt", "Reflect", "Proxy",
    "WeakMap", "WeakSet", "Intl", "structuredClone", "process", "require", "module", "exports",
    "escape", "unescape", "eval", "btoa", "atob", "performance", "crypto", "setImmediate",
    "Iterator", "Int32Array", "Uint8Array", "Float64Array", "ArrayBuffer", "WeakRef",
})

#: Classes of exceptions, and what they are in Python. A helper is a class that Python has not.
ERRORS = {
    "Error": "Exception", "TypeError": "TypeError", "RangeError": "RangeError",
    "SyntaxError": "SyntaxError", "ReferenceError": "NameError", "EvalError": "EvalError",
    "URIError": "URIError",
}

#: Properties of elements that hold text or flags.
TEXT_PROPERTIES = {
    "value": STR, "textContent": STR, "innerText": STR, "innerHTML": STR, "className": STR,
    "id": STR, "title": STR, "href": STR, "hash": STR, "search": STR, "key": STR, "src": STR,
    "checked": BOOL, "disabled": BOOL, "hidden": BOOL, "placeholder": STR, "outerHTML": STR,
    "cookie": STR, "tagName": STR, "visibilityState": STR, "host": STR, "hostname": STR,
    "userAgent": STR, "language": STR, "selected": BOOL, "length": NAT, "readyState": STR,
    "pathname": STR, "origin": STR, "which": INT, "keyCode": INT, "type": STR, "name": STR,
}

STRING_METHODS = {
    "trim": STR, "trimStart": STR, "trimEnd": STR, "toUpperCase": STR, "toLowerCase": STR,
    "toLocaleUpperCase": STR, "toLocaleLowerCase": STR, "substring": STR, "substr": STR,
    "slice": STR, "charAt": STR, "charCodeAt": NAT | NAN, "codePointAt": NAT | UNDEF,
    "indexOf": INT, "lastIndexOf": INT, "includes": BOOL, "startsWith": BOOL, "endsWith": BOOL,
    "replace": STR, "replaceAll": STR, "padStart": STR, "padEnd": STR, "repeat": STR,
    "concat": STR, "toString": STR, "valueOf": STR, "localeCompare": INT, "search": INT,
    "at": STR | UNDEF, "normalize": STR, "split": 0, "match": 0, "matchAll": 0,
}

#: Methods of arrays; the names of those with a callback decide what that gets.
ARRAY_METHODS = frozenset({
    "push", "pop", "shift", "unshift", "splice", "slice", "concat", "join", "reverse", "sort",
    "indexOf", "lastIndexOf", "includes", "forEach", "map", "filter", "find", "findIndex", "some",
    "every", "reduce", "reduceRight", "fill", "flat", "flatMap", "keys", "values", "entries",
    "toString", "at", "findLast", "toSorted", "toReversed",
})

#: Further methods of JavaScript's own objects. A method with such a name is never the program's.
OTHER_METHODS = frozenset({
    "copyWithin", "findLastIndex", "toSpliced", "with", "toLocaleString", "toPrecision",
    "toExponential", "codePointAt", "matchAll", "normalize", "isWellFormed", "toWellFormed",
    "anchor", "big", "bold", "next", "return", "throw", "propertyIsEnumerable", "isPrototypeOf",
    "hasOwn", "toJSON", "toISOString", "toUTCString", "toGMTString", "toDateString",
    "toTimeString", "toLocaleTimeString", "toLocaleDateString", "getTimezoneOffset", "union",
    "intersection", "difference", "symmetricDifference", "isSubsetOf", "isSupersetOf",
    "isDisjointFrom", "getYear", "setYear", "localeCompare",
    *(f"{verb}{zone}{part}" for verb in ("get", "set") for zone in ("", "UTC") for part in (
        "FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds", "Time",
    )),
})

MATH_METHODS = {
    "floor": INT, "ceil": INT, "round": INT, "trunc": INT, "abs": FLOAT, "sqrt": FLOAT | NAN,
    "pow": FLOAT | NAN, "random": FLOAT, "sign": INT, "log": FLOAT | NAN, "log2": FLOAT | NAN,
    "log10": FLOAT | NAN, "exp": FLOAT | NAN, "sin": FLOAT, "cos": FLOAT, "tan": FLOAT,
    "atan": FLOAT, "atan2": FLOAT, "hypot": FLOAT, "cbrt": FLOAT, "max": 0, "min": 0,
}

MATH_CONSTANTS = {"PI": "math.pi", "E": "math.e", "SQRT2": "math.sqrt(2)", "LN2": "math.log(2)",
                  "LN10": "math.log(10)"}

NUMBER_METHODS = {
    "toFixed": STR, "toString": STR, "toLocaleString": STR, "toPrecision": STR, "valueOf": 0,
}

DATE_METHODS = {
    "getTime": INT, "valueOf": INT, "getFullYear": NAT, "getMonth": NAT, "getDate": NAT,
    "getDay": NAT, "getHours": NAT, "getMinutes": NAT, "getSeconds": NAT, "getMilliseconds": NAT,
    "toISOString": STR, "toLocaleTimeString": STR, "toLocaleDateString": STR,
    "toLocaleString": STR, "toString": STR, "toJSON": STR, "getTimezoneOffset": INT,
    "toDateString": STR, "toTimeString": STR,
    **{f"getUTC{part}": NAT for part in (
        "FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds",
    )},
}
