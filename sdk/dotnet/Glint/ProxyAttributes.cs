// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint;

/// <summary>Marks an interface whose methods are functions of a guest. For <c>IRules</c>, the source generator of this
/// package makes the class <c>RulesProxy</c>, whose constructor takes a <see cref="Sandbox"/> and checks all functions
/// against the guest's declarations; its calls are those of function handles. A method is the export of its name in
/// snake_case, unless <see cref="GuestNameAttribute"/> says otherwise. A last parameter may be a
/// <see cref="CallOptions"/> or a <see cref="System.Threading.CancellationToken"/>.</summary>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class GuestFunctionsAttribute : Attribute;

/// <summary>Marks an interface whose methods guests may call. For <c>IRulesHost</c>, the source generator of this package
/// makes the extension method <c>AddRulesHost</c> of <see cref="HostFunctions"/>, which takes an implementation. Names
/// are those of <see cref="GuestFunctionsAttribute"/>. A last parameter may be a
/// <see cref="System.Threading.CancellationToken"/>.</summary>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class HostFunctionsAttribute : Attribute;

/// <summary>The name that the guest knows a method by.</summary>
/// <param name="name">1 to 63 bytes of UTF-8.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GuestNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
