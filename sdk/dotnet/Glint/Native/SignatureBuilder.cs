// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Glint.Native;

/// <summary>Makes the signature of a delegate from its type arguments.</summary>
internal sealed class SignatureBuilder
{
    private readonly List<GuestType> _parameters = [];
    private readonly GuestType _result;
    private bool _hasToken;

    private SignatureBuilder(GuestType result) => _result = result;

    public static SignatureBuilder Returning(GuestType result) => new(result);

    public SignatureBuilder With<T>()
        where T : allows ref struct
    {
        if (_hasToken)
        {
            throw new NotSupportedException("A cancellation token can only be the last parameter.");
        }

        if (Codec.IsToken<T>())
        {
            _hasToken = true;
        }
        else
        {
            _parameters.Add(Codec.TypeOf<T>());
        }

        return this;
    }

    public GuestSignature Build() => new(_result, _parameters.ToArray());
}
