#include "core/io/hdf5_type.h"

#include <hdf5.h>

#include <array>

namespace qs {

namespace {

struct StandardType
{
    DType type;
    hid_t little;
    hid_t big;
};

std::array<StandardType, 10> standardTypes()
{
    return {{{DType::F32, H5T_IEEE_F32LE, H5T_IEEE_F32BE}, {DType::F64, H5T_IEEE_F64LE, H5T_IEEE_F64BE},
        {DType::I8, H5T_STD_I8LE, H5T_STD_I8BE}, {DType::U8, H5T_STD_U8LE, H5T_STD_U8BE},
        {DType::I16, H5T_STD_I16LE, H5T_STD_I16BE}, {DType::U16, H5T_STD_U16LE, H5T_STD_U16BE},
        {DType::I32, H5T_STD_I32LE, H5T_STD_I32BE}, {DType::U32, H5T_STD_U32LE, H5T_STD_U32BE},
        {DType::I64, H5T_STD_I64LE, H5T_STD_I64BE}, {DType::U64, H5T_STD_U64LE, H5T_STD_U64BE}}};
}

/// A 16-bit float: sign in bit 15, then `exponentBits` of exponent, then the mantissa.
Hdf5Handle shortFloat(std::size_t exponentBits)
{
    Hdf5Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    const std::size_t mantissaBits = 15 - exponentBits;
    const std::size_t bias = (std::size_t {1} << (exponentBits - 1)) - 1;
    if (H5Tset_fields(type.id(), 15, mantissaBits, exponentBits, 0, mantissaBits) < 0
        || H5Tset_size(type.id(), 2) < 0 || H5Tset_ebias(type.id(), bias) < 0) {
        throwHdf5(ErrorCode::Internal, "HDF5 cannot describe 16-bit floats");
    }
    return type;
}

Hdf5Handle booleanType()
{
    Hdf5Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
    const std::int8_t no = 0;
    const std::int8_t yes = 1;
    if (H5Tenum_insert(type.id(), "FALSE", &no) < 0 || H5Tenum_insert(type.id(), "TRUE", &yes) < 0) {
        throwHdf5(ErrorCode::Internal, "HDF5 cannot describe booleans");
    }
    return type;
}

bool same(hid_t a, hid_t b)
{
    return H5Tequal(a, b) > 0;
}

} // namespace

Hdf5Handle hdf5TypeOf(DType type)
{
    silenceHdf5();
    switch (type) {
    case DType::F16: return shortFloat(5);
    case DType::BF16: return shortFloat(8);
    case DType::Bool: return booleanType();
    default: break;
    }
    for (const StandardType& known : standardTypes()) {
        if (known.type == type) {
            return {H5Tcopy(known.little), H5Tclose};
        }
    }
    throw Error(ErrorCode::Internal, "HDF5 has no type for " + std::string(nameOf(type)));
}

std::optional<DType> dtypeOfHdf5(std::int64_t type)
{
    silenceHdf5();
    for (const StandardType& known : standardTypes()) {
        if (same(type, known.little) || same(type, known.big)) {
            return known.type;
        }
    }
    for (const DType other : {DType::F16, DType::BF16, DType::Bool}) {
        if (same(type, hdf5TypeOf(other).id())) {
            return other;
        }
    }
    H5Eclear2(H5E_DEFAULT);
    return std::nullopt;
}

Hdf5Handle hdf5TextType(std::size_t bytes)
{
    silenceHdf5();
    Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    if (H5Tset_size(type.id(), bytes) < 0 || H5Tset_cset(type.id(), H5T_CSET_UTF8) < 0
        || H5Tset_strpad(type.id(), H5T_STR_NULLPAD) < 0) {
        throwHdf5(ErrorCode::Internal, "HDF5 cannot describe text");
    }
    return type;
}

} // namespace qs
