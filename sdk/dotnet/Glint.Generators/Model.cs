// SPDX-License-Identifier: Apache-2.0
// What is to be generated, as text that can be compared: nothing here refers to the compilation.
namespace Glint.Generators;

/// <summary>An interface without mistakes. Types, namespaces and methods are named as code names them: keywords
/// have their @, types their global::.</summary>
/// <param name="IsHost">Whether its methods are host functions; else they are functions of a guest.</param>
/// <param name="Type">The interface.</param>
/// <param name="Namespace">The one of the interface; empty if that is the global one.</param>
/// <param name="PlainName">What the names of all that is generated are made of.</param>
/// <param name="ClassName">The class to make.</param>
/// <param name="Visibility">"public" or "internal".</param>
/// <param name="Marks">Those of the interface and of what it is in.</param>
/// <param name="Methods">All of them, also those of interfaces that it extends.</param>
internal sealed record ProxyModel(bool IsHost, string Type, string Namespace, string PlainName, string ClassName,
    string Visibility, Marks Marks, EquatableArray<MethodModel> Methods);

/// <summary>A method that crosses the border.</summary>
/// <param name="Owner">The interface that declares it.</param>
/// <param name="Name">Its name in C#.</param>
/// <param name="GuestName">Its name for the guest.</param>
/// <param name="Result">The type of its result, or null.</param>
/// <param name="IsInherited">Whether another interface declares it.</param>
/// <param name="IsExplicit">Whether a class can only implement it under the name of its interface.</param>
/// <param name="Marks">Those on it.</param>
/// <param name="MarksAround">Those on it and on what it is in.</param>
/// <param name="Parameters">All of them.</param>
internal sealed record MethodModel(string Owner, string Name, string GuestName, string? Result, bool IsInherited,
    bool IsExplicit, Marks Marks, Marks MarksAround, EquatableArray<ParameterModel> Parameters);

/// <summary>A parameter.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsArgument">Whether it crosses the border: tokens and options do not.</param>
/// <param name="IsParams">Whether it takes any number of values.</param>
/// <param name="Default">Its default value, or null.</param>
internal sealed record ParameterModel(string Type, string Name, bool IsArgument, bool IsParams, string? Default);

/// <summary>A marked interface, and what was found out about it.</summary>
/// <param name="Name">The name of the interface.</param>
/// <param name="Place">Where that is.</param>
/// <param name="ClassName">The class to make, with its namespace; null if none can be made.</param>
/// <param name="Model">What to make; null if there are problems.</param>
/// <param name="Problems">What is wrong with it by itself.</param>
internal sealed record MarkedInterface(string Name, Place? Place, string? ClassName, ProxyModel? Model,
    EquatableArray<Problem> Problems);
