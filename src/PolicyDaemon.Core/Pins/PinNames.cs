using System.Diagnostics;

namespace PolicyDaemon.Core.Pins;

/// <summary>The names under which pins' properties are stored and shown: the database and the JSON output keep to them for ever.</summary>
public static class PinNames
{
    private static readonly string[] States = ["candidate", "standby", "active", "retiring", "retired", "rejected"];
    private static readonly string[] Strengths = ["tofu", "person", "webpki", "dane"];
    private static readonly string[] Subjects = ["unknown", "certificate", "public-key"];
    private static readonly string[] Modes = ["locked", "assist", "auto"];

    public static IReadOnlyList<string> ModeNames => Modes;

    public static string Name(this PinState state) => At(States, (int)state);

    public static string Name(this PinStrength strength) => At(Strengths, (int)strength);

    public static string Name(this PinSubject subject) => At(Subjects, (int)subject);

    public static string Name(this PinMode mode) => At(Modes, (int)mode);

    public static bool TryParse(string? name, out PinState state) => TryFind(States, name, out state, index => (PinState)index);

    public static bool TryParse(string? name, out PinStrength strength) =>
        TryFind(Strengths, name, out strength, index => (PinStrength)index);

    public static bool TryParse(string? name, out PinSubject subject) =>
        TryFind(Subjects, name, out subject, index => (PinSubject)index);

    public static bool TryParse(string? name, out PinMode mode) => TryFind(Modes, name, out mode, index => (PinMode)index);

    private static string At(string[] names, int index) =>
        (uint)index < (uint)names.Length ? names[index] : throw new UnreachableException($"{names[0]}...: {index}");

    private static bool TryFind<T>(string[] names, string? name, out T value, Func<int, T> make)
    {
        var index = Array.IndexOf(names, name);
        value = index >= 0 ? make(index) : default!;
        return index >= 0;
    }
}
