// Chance that a seed repeats: the same words always make the same dice. Nothing here looks at a
// clock, and no dice are shared, so what one actor rolls does not depend on what another one did.

// FNV-1a with a last mixing, of any words: a number of 32 bits.
export function hashOf(...words) {
    let hash = 2166136261;
    for (const char of words.join('\0')) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
    hash = Math.imul(hash ^ (hash >>> 16), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    return (hash ^ (hash >>> 16)) >>> 0;
}

export function makeDice(...words) {
    let state = hashOf(...words);
    // mulberry32
    const roll = () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const between = (low, high) => low + Math.floor(roll() * (high - low + 1));
    const chance = (percent) => roll() * 100 < percent;
    const pick = (list) => list[between(0, list.length - 1)];
    // From {name: weight}: one of the names.
    const weighed = (weights) => {
        let left = roll() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
        for (const [name, weight] of Object.entries(weights)) if ((left -= weight) < 0) return name;
        return Object.keys(weights).at(-1);
    };
    const shuffled = (list) => {
        const copy = [...list];
        for (let i = copy.length - 1; i > 0; i--) {
            const j = between(0, i);
            [copy[i], copy[j]] = [copy[j], copy[i]];
        }
        return copy;
    };
    return { between, chance, pick, weighed, shuffled };
}
