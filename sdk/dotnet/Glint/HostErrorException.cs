// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint;

/// <summary>Thrown by a host function to tell the guest a code and a text. Of any other exception the guest
/// learns nothing but that the host function failed (<see cref="SandboxErrorCode.HostFunction"/>).</summary>
public sealed class HostErrorException : Exception
{
    private const int MaxTextSize = 4096;

    /// <summary>Makes the exception.</summary>
    /// <param name="guestCode">The code for the guest; not 0, which stands for success.</param>
    /// <param name="guestText">The text for the guest: at most 4,096 bytes of UTF-8.</param>
    /// <param name="innerException">What is behind it; the guest does not see it.</param>
    /// <exception cref="ArgumentException">The code is 0, or the text too long or no Unicode.</exception>
    public HostErrorException(int guestCode, string guestText, Exception? innerException = null)
        : base(guestText, innerException)
    {
        ArgumentOutOfRangeException.ThrowIfZero(guestCode);
        ArgumentNullException.ThrowIfNull(guestText);
        // Here, since there is nobody to report it to when the exception has left the host function.
        if (Native.Text.Utf8.GetByteCount(guestText) > MaxTextSize)
        {
            throw new ArgumentException($"The text has more than {MaxTextSize} bytes of UTF-8.",
                nameof(guestText));
        }

        GuestCode = guestCode;
    }

    /// <summary>The code for the guest.</summary>
    public int GuestCode { get; }
}
