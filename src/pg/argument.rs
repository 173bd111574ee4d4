//! Values passed on as they came: no copy, no conversion, no loss of precision. And arrays, read or made.
//!
//! Text is UTF-8: the extension is refused in databases with another encoding.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum, IntoDatum, UnboxDatum};
use pgrx::{Uuid, pg_sys};

/// An integer that a background worker was started with.
pub fn int(argument: pg_sys::Datum) -> Option<u32> {
    u32::try_from(argument.value()).ok()
}

/// A text, in the current memory context.
pub fn text(text: &str) -> Raw {
    Raw(text.into_datum().unwrap_or(pg_sys::Datum::from(0usize)))
}

/// A value of a type that the SQL declaration fixes, alive for the duration of the call.
#[derive(Debug, Clone, Copy)]
pub struct Raw(pub pg_sys::Datum);

// The functions are declared by hand, in sql/schema: this is never written anywhere.
super::version::declared_by_hand!(Raw, "any");

impl FromDatum for Raw {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        (!is_null).then_some(Self(datum))
    }
}

impl IntoDatum for Raw {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::ANYELEMENTOID
    }

    fn is_compatible_with(_: pg_sys::Oid) -> bool {
        true
    }
}

// SAFETY: a datum as it is.
unsafe impl UnboxDatum for Raw {
    type As<'src> = Self;

    unsafe fn unbox<'src>(datum: Datum<'src>) -> Self::As<'src>
    where
        Self: 'src,
    {
        Self(datum.sans_lifetime())
    }
}

// SAFETY: the SQL declaration of a function that returns one names the type that the value has.
unsafe impl BoxRet for Raw {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the value lives in the caller's memory, or is passed by value.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

// SAFETY: any datum may be passed on; what reads it names the type that the SQL declaration gives it.
unsafe impl<'fcx> ArgAbi<'fcx> for Raw {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise; a null never gets here, because these arguments are declared as Option.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(Self(pg_sys::Datum::from(0usize)))
    }
}

impl Raw {
    /// A text.
    pub fn text(self) -> Option<String> {
        // SAFETY: declared as text in SQL.
        unsafe { String::from_datum(self.0, false) }
    }

    /// An int.
    pub fn int(self) -> Option<i32> {
        // SAFETY: declared as int in SQL.
        unsafe { i32::from_datum(self.0, false) }
    }

    /// The elements of a text[].
    pub fn texts(self) -> Vec<Option<String>> {
        // SAFETY: declared as text[] in SQL.
        unsafe { Vec::from_polymorphic_datum(self.0, false, pg_sys::TEXTARRAYOID) }.unwrap_or_default()
    }

    /// The elements of a bigint[].
    pub fn bigs(self) -> Vec<Option<i64>> {
        // SAFETY: declared as bigint[] in SQL.
        unsafe { Vec::from_polymorphic_datum(self.0, false, pg_sys::INT8ARRAYOID) }.unwrap_or_default()
    }

    /// The elements of a timestamptz[].
    pub fn times(self) -> Vec<Option<i64>> {
        // SAFETY: declared as timestamptz[] in SQL, whose elements are bigints in memory.
        unsafe { Vec::from_polymorphic_datum(self.0, false, pg_sys::INT8ARRAYOID) }.unwrap_or_default()
    }

    /// The elements of an int[].
    pub fn ints(self) -> Vec<Option<i32>> {
        // SAFETY: declared as int[] in SQL.
        unsafe { Vec::from_polymorphic_datum(self.0, false, pg_sys::INT4ARRAYOID) }.unwrap_or_default()
    }

    /// The elements of a jsonb[].
    pub fn jsonbs(self) -> Vec<Option<Raw>> {
        // SAFETY: declared as jsonb[] in SQL: elements of variable length, aligned to int, passed by reference.
        unsafe {
            let array = pg_sys::pg_detoast_datum(self.0.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
            pg_sys::deconstruct_array(
                array,
                pg_sys::JSONBOID,
                -1,
                false,
                pg_sys::TYPALIGN_INT as _,
                &raw mut elements,
                &raw mut nulls,
                &raw mut count,
            );
            (0..count as usize).map(|i| (!*nulls.add(i)).then(|| Raw(*elements.add(i)))).collect()
        }
    }

    /// The value as it is. A text or json is a bytea of the same bytes: both have the same layout.
    pub fn as_it_is(self) -> Self {
        self
    }

    /// An array of which this value, of type `element`, is the only element.
    pub fn alone_in_array(self, element: pg_sys::Oid) -> Self {
        Self(array(std::iter::once(Some(self.0)), element))
    }

    /// How many elements an array of any type has.
    pub fn elements(self) -> usize {
        // SAFETY: declared as an array in SQL; detoasting gives a complete ArrayType, whose dimensions follow it.
        unsafe {
            let array = pg_sys::pg_detoast_datum(self.0.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            let dimensions = array.add(1).cast::<i32>();
            pg_sys::ArrayGetNItems((*array).ndim, dimensions) as usize
        }
    }

    /// A text[] as a bytea[] of the same bytes.
    pub fn texts_as_bytes(self) -> Raw {
        // SAFETY: text and bytea have the same layout, so only the element type of a copy of the array changes.
        unsafe {
            let array = pg_sys::pg_detoast_datum_copy(self.0.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            (*array).elemtype = pg_sys::BYTEAOID;
            Raw(array.into())
        }
    }

    /// A jsonb as a bytea of its text.
    pub fn jsonb_as_bytes(self) -> Raw {
        // SAFETY: declared as jsonb in SQL; jsonb_out gives a C string.
        let text = unsafe {
            let text = pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(self.0)]);
            text.map(|text| std::ffi::CStr::from_ptr(text.cast_mut_ptr()).to_bytes().to_vec())
        };
        text.into_datum().map_or(self, Raw)
    }

    /// Whether a jsonb is an object.
    pub fn jsonb_is_object(self) -> bool {
        // SAFETY: declared as jsonb in SQL: a varlena whose payload begins with a 32-bit header.
        unsafe {
            let jsonb = pg_sys::pg_detoast_datum(self.0.cast_mut_ptr());
            let header = pgrx::varlena_to_byte_slice(jsonb).first_chunk::<4>();
            header.is_some_and(|bytes| u32::from_ne_bytes(*bytes) & pg_sys::JB_FOBJECT != 0)
        }
    }

    /// A text as a JSON string.
    pub fn text_as_jsonb(self) -> Option<Raw> {
        // SAFETY: declared as text in SQL.
        let text = unsafe { String::from_datum(self.0, false) }?;
        pgrx::JsonB(text.into()).into_datum().map(Raw)
    }

    /// A json as a jsonb.
    pub fn json_as_jsonb(self) -> Option<Raw> {
        // SAFETY: declared as json in SQL: text. Its text is valid JSON; what jsonb cannot take (\u0000) is an ERROR.
        unsafe {
            let text = std::ffi::CString::new(String::from_datum(self.0, false)?).ok()?;
            pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())]).map(Raw)
        }
    }
}

/// An array of values of type `element`, copied.
pub fn array(values: impl Iterator<Item = Option<pg_sys::Datum>>, element: pg_sys::Oid) -> pg_sys::Datum {
    let (mut length, mut by_value, mut align) = (0, false, 0);
    let (mut values, mut nulls): (Vec<pg_sys::Datum>, Vec<bool>) =
        values.map(|value| (value.unwrap_or(0usize.into()), value.is_none())).unzip();
    let (mut dimension, mut lower_bound) = (values.len() as i32, 1);
    // SAFETY: `element` is the type of the values; both vectors have as many elements as the one dimension says.
    unsafe {
        pg_sys::get_typlenbyvalalign(element, &raw mut length, &raw mut by_value, &raw mut align);
        let (values, nulls) = (values.as_mut_ptr(), nulls.as_mut_ptr());
        let (dimension, lower_bound, length) = (&raw mut dimension, &raw mut lower_bound, length.into());
        pg_sys::construct_md_array(values, nulls, 1, dimension, lower_bound, element, length, by_value, align).into()
    }
}

/// A time and an interval after it.
pub fn later(time: super::Time, interval: Raw) -> Raw {
    // SAFETY: a timestamptz and an interval; a sum out of range is an ERROR.
    let sum = unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::timestamptz_pl_interval, &[Some(time.into()), Some(interval.0)])
    };
    Raw(sum.unwrap_or(time.into()))
}

/// A time as the session shows it: in its TimeZone and DateStyle.
pub fn shown(time: super::Time) -> String {
    // SAFETY: a timestamptz; its output is a C string, copied at once.
    unsafe {
        let text = pgrx::direct_function_call_as_datum(pg_sys::timestamptz_out, &[Some(time.into())]);
        text.map(|text| std::ffi::CStr::from_ptr(text.cast_mut_ptr()).to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// Sixteen bytes as a uuid.
pub fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}
