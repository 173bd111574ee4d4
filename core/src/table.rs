//! A hash table of fixed size over memory that somebody else owns.
//!
//! It allocates nothing, never panics and names no address, so it can live in shared memory and be changed from a
//! commit callback. Slots are chained by number; a slot keeps its number for as long as its key is in the table.
//! The caller holds whatever lock protects the memory.

/// "No slot": the end of a chain.
pub const NONE: u32 = u32::MAX;

/// What a table is looked up by.
pub trait Key: Copy + Eq {
    /// A well-mixed hash; equal keys have equal hashes.
    fn hash(&self) -> u64;
}

/// Mixes words into one hash (the finaliser of SplitMix64, folded).
pub fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9E37_79B9_7F4A_7C15, |hash, word| {
        let mut z = (hash ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// The table's own words. Zeroed memory is not an empty table: see [`FixedTable::clear`].
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Head {
    len: u32,
    /// Slots from here on were never used.
    fresh: u32,
    /// First slot of the chain of those given back.
    free: u32,
    unused: u32,
}

/// One place for a key and its value.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Slot<K, V> {
    next: u32,
    used: u32,
    key: K,
    value: V,
}

/// The table is full. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// A hash table of `slots.len()` places.
#[derive(Debug)]
pub struct FixedTable<'a, K, V> {
    head: &'a mut Head,
    buckets: &'a mut [u32],
    slots: &'a mut [Slot<K, V>],
}

impl<'a, K: Key, V: Copy> FixedTable<'a, K, V> {
    /// Looks at memory as a table. The memory must have been [cleared](Self::clear) once.
    pub fn new(head: &'a mut Head, buckets: &'a mut [u32], slots: &'a mut [Slot<K, V>]) -> Self {
        Self { head, buckets, slots }
    }

    /// Makes the table empty.
    pub fn clear(&mut self) {
        *self.head = Head { len: 0, fresh: 0, free: NONE, unused: 0 };
        self.buckets.fill(NONE);
    }

    /// How many keys are in the table.
    pub fn len(&self) -> usize {
        self.head.len as usize
    }

    /// Whether there is no key in the table.
    pub fn is_empty(&self) -> bool {
        self.head.len == 0
    }

    /// How many keys there is room for.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The first slot that was never used: no key is there or behind it.
    pub fn used(&self) -> u32 {
        self.head.fresh
    }

    /// How many more keys there is room for.
    pub fn room(&self) -> usize {
        self.capacity().saturating_sub(self.len())
    }

    /// The number of the slot that holds `key`.
    pub fn find(&self, key: &K) -> Option<u32> {
        let mut number = *self.buckets.get(self.bucket(key))?;
        while let Some(slot) = self.slots.get(number as usize) {
            if slot.key == *key {
                return Some(number);
            }
            number = slot.next;
        }
        None
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.at(self.find(key)?).map(|(_, value)| value)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let number = self.find(key)?;
        self.at_mut(number)
    }

    /// Key and value of a slot that is in use.
    pub fn at(&self, number: u32) -> Option<(&K, &V)> {
        self.slots.get(number as usize).filter(|slot| slot.used != 0).map(|slot| (&slot.key, &slot.value))
    }

    /// The value of a slot that is in use, to be changed.
    pub fn at_mut(&mut self, number: u32) -> Option<&mut V> {
        self.slots.get_mut(number as usize).filter(|slot| slot.used != 0).map(|slot| &mut slot.value)
    }

    /// Puts in a key that is not there yet and returns its slot's number.
    ///
    /// # Errors
    /// [`Full`] where there is no room.
    pub fn insert(&mut self, key: K, value: V) -> Result<u32, Full> {
        let bucket = self.bucket(&key);
        let number = if self.head.free == NONE { self.head.fresh } else { self.head.free };
        let first = self.buckets.get_mut(bucket).ok_or(Full)?;
        let slot = self.slots.get_mut(number as usize).ok_or(Full)?;
        if number == self.head.free {
            self.head.free = slot.next;
        } else {
            self.head.fresh = self.head.fresh.saturating_add(1);
        }
        *slot = Slot { next: *first, used: 1, key, value };
        *first = number;
        self.head.len = self.head.len.saturating_add(1);
        Ok(number)
    }

    /// Takes a key out and returns its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let number = self.find(key)?;
        let bucket = self.bucket(key);
        let (next, value) = self.slots.get(number as usize).map(|slot| (slot.next, slot.value))?;
        let mut link = self.buckets.get_mut(bucket)?;
        while *link != number {
            let previous = *link as usize;
            link = &mut self.slots.get_mut(previous)?.next;
        }
        *link = next;
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.used = 0;
            slot.next = self.head.free;
        }
        self.head.free = number;
        self.head.len = self.head.len.saturating_sub(1);
        Some(value)
    }

    /// All keys and values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().take(self.head.fresh as usize).filter(|slot| slot.used != 0).map(|s| (&s.key, &s.value))
    }

    fn bucket(&self, key: &K) -> usize {
        // A table without buckets is never asked for one: `get` on the empty slice answers for it.
        (key.hash() % (self.buckets.len().max(1) as u64)) as usize
    }
}

/// How much memory a table of a capacity needs, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Chains: half as many again as places, so that they stay short when the table is full.
    pub buckets: usize,
    /// Places.
    pub slots: usize,
}

impl Sizes {
    /// The sizes for a table with room for `capacity` keys.
    pub fn of(capacity: usize) -> Self {
        let slots = capacity.clamp(1, NONE as usize - 1);
        Self { buckets: slots.saturating_add(slots / 2).saturating_add(1), slots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    impl Key for u64 {
        fn hash(&self) -> u64 {
            mix(&[*self])
        }
    }

    struct Memory {
        head: Head,
        buckets: Vec<u32>,
        slots: Vec<Slot<u64, u32>>,
    }

    impl Memory {
        fn new(capacity: usize) -> Self {
            let sizes = Sizes::of(capacity);
            let head = Head { len: 9, fresh: 9, free: 9, unused: 9 };
            let slot = Slot { next: 7, used: 7, key: 0, value: 0 };
            let mut memory = Self { head, buckets: vec![3; sizes.buckets], slots: vec![slot; sizes.slots] };
            memory.table().clear();
            memory
        }

        fn table(&mut self) -> FixedTable<'_, u64, u32> {
            FixedTable::new(&mut self.head, &mut self.buckets, &mut self.slots)
        }
    }

    #[test]
    fn a_full_table_says_so_and_changes_nothing() {
        let mut memory = Memory::new(2);
        let mut table = memory.table();
        assert!(table.insert(1, 10).is_ok() && table.insert(2, 20).is_ok());
        assert_eq!(table.insert(3, 30), Err(Full));
        assert_eq!((table.get(&1), table.get(&2), table.get(&3)), (Some(&10), Some(&20), None));
        table.remove(&1);
        assert!(table.insert(3, 30).is_ok());
    }

    #[test]
    fn a_slot_keeps_its_number_while_others_come_and_go() {
        let mut memory = Memory::new(8);
        let mut table = memory.table();
        let number = table.insert(5, 50).unwrap();
        for key in 10..16 {
            table.insert(key, 0).unwrap();
        }
        for key in 10..16 {
            table.remove(&key);
        }
        assert_eq!(table.at(number), Some((&5, &50)));
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((any::<bool>(), 0u64..40, any::<u32>()), 1..400)) {
            let mut memory = Memory::new(16);
            let mut table = memory.table();
            let mut map = HashMap::new();
            for (put, key, value) in steps {
                if put && !map.contains_key(&key) {
                    let room = map.len() < 16;
                    prop_assert_eq!(table.insert(key, value).is_ok(), room);
                    if room { map.insert(key, value); }
                } else {
                    prop_assert_eq!(table.remove(&key), map.remove(&key));
                }
                prop_assert_eq!(table.len(), map.len());
            }
            let mut left: Vec<_> = table.iter().map(|(k, v)| (*k, *v)).collect();
            let mut right: Vec<_> = map.into_iter().collect();
            left.sort_unstable();
            right.sort_unstable();
            prop_assert_eq!(left, right);
        }
    }
}
