// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint;

/// <summary>Marks an interface whose methods are functions of a guest. For <c>IRules</c>, the source generator of
/// this package makes the class <c>RulesProxy</c> in the same namespace, whose constructor takes a
/// <see cref="Sandbox"/> and checks all functions against the guest's declarations; its calls are those of
/// function handles. A method is the export of its name in snake_case, unless <see cref="GuestNameAttribute"/>
/// says otherwise.
/// <para>The interface is public or internal, and not generic; nor is what it is in, if it is nested: then
/// <c>IRules</c> in <c>Shop</c> is <c>ShopRulesProxy</c>. Each abstract member is a method with at most eight
/// parameters, which are passed by value; nothing is nullable. A last parameter may be a
/// <see cref="CallOptions"/> or a <see cref="System.Threading.CancellationToken"/>, and does not count. The
/// methods of interfaces that it extends belong to it.</para></summary>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class GuestFunctionsAttribute : Attribute;

/// <summary>Marks an interface whose methods guests may call. For <c>IRulesHost</c>, the source generator of this
/// package makes the extension method <c>AddRulesHost</c> of <see cref="HostFunctions"/>, which takes an
/// implementation. Names are those of <see cref="GuestFunctionsAttribute"/>, and so is what such an interface may
/// have, but for the last parameter: it may be a <see cref="System.Threading.CancellationToken"/>, which counts
/// as one of the eight. An interface may have both marks: then the functions of one guest can be host functions
/// of another.</summary>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class HostFunctionsAttribute : Attribute;

/// <summary>The name that the guest knows a method by.</summary>
/// <param name="name">1 to 63 bytes of UTF-8, without NUL.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GuestNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
