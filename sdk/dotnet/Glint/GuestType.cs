// SPDX-License-Identifier: Apache-2.0
namespace Glint;

/// <summary>The types that cross the border between host and guest.</summary>
public enum GuestType
{
    /// <summary>No result.</summary>
    Void = 0,

    /// <summary><see cref="bool"/>; in C <c>bool</c>.</summary>
    Boolean = 1,

    /// <summary><see cref="int"/>; in C <c>int32_t</c>.</summary>
    Int32 = 2,

    /// <summary><see cref="uint"/>; in C <c>uint32_t</c>.</summary>
    UInt32 = 3,

    /// <summary><see cref="long"/>; in C <c>int64_t</c>.</summary>
    Int64 = 4,

    /// <summary><see cref="ulong"/>; in C <c>uint64_t</c>.</summary>
    UInt64 = 5,

    /// <summary><see cref="float"/>; in C <c>float</c>.</summary>
    Single = 6,

    /// <summary><see cref="double"/>; in C <c>double</c>.</summary>
    Double = 7,

    /// <summary><see cref="string"/>, or UTF-8; in C <c>glint_string</c>.</summary>
    String = 8,

    /// <summary>An array or span of <see cref="byte"/>; in C <c>glint_bytes</c>.</summary>
    Bytes = 9,
}
