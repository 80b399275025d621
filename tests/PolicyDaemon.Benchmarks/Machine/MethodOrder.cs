using System.Globalization;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>The order in which policyd's methods run for the first time, which its native code is laid out in: <c>methods.order</c> of its project.</summary>
/// <remarks>
/// The kernel maps sixteen pages where one is touched. Methods in the order of their names lie all over the program, so that nearly all of it is
/// resident after a start; those that run at all, side by side, are a sixth of it. The compiler takes the file as it is: names that it does not
/// know are skipped, methods that the file does not name come behind. So an old file is no fault, but worth less.
/// </remarks>
internal static class MethodOrder
{
    private const string Section = "__managedcode";

    /// <summary>Runs what the options name with a policyd that writes down its methods, and makes the file of that.</summary>
    internal static async Task<int> RecordAsync(Options options)
    {
        var directory = Path.Combine(options.Output, "order");
        var (programs, met) = (Path.Combine(directory, "programs"), Path.Combine(directory, "met"));
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(programs);
        Directory.CreateDirectory(met);
        foreach (var file in Directory.GetFiles(options.Binaries!))
            File.CreateSymbolicLink(Path.Combine(programs, Path.GetFileName(file)), file);

        var policyd = Path.Combine(options.Binaries!, "policyd");
        var methods = Path.Combine(directory, "methods");
        await File.WriteAllLinesAsync(methods, await MethodsAsync(policyd + ".dbg"));
        var wrapper = Path.Combine(programs, "policyd");
        File.Delete(wrapper);
        await File.WriteAllTextAsync(wrapper, $"#!/bin/sh\nexec '{Toolchain.Native(options, "firstrun")}' '{methods}' '{met}' '{policyd}' \"$@\"\n");
        File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var code = await Namespaces.RunInsideAsync(options with { Binaries = programs, Quick = true });
        if (code != 0)
            return code;
        var order = Path.Combine(Toolchain.Root, "src", "PolicyDaemon.Daemon", "methods.order");
        var names = Directory.GetFiles(met).OrderBy(File.GetCreationTimeUtc).SelectMany(File.ReadLines).Distinct(StringComparer.Ordinal).ToList();
        await File.WriteAllLinesAsync(order, names.Prepend("# Made by tests/benchmarks order: methods in the order in which they first run."));
        Console.Error.WriteLine($"{names.Count} methods written to {order}");
        return 0;
    }

    /// <summary>Address and name of each managed method, as the symbols of the program have them.</summary>
    private static async Task<IEnumerable<string>> MethodsAsync(string symbols)
    {
        var sections = await Run.AsyncOrThrow("readelf", ["--section-headers", "--wide", symbols]);
        var line = sections.Split('\n').FirstOrDefault(line => line.Contains($" {Section} ", StringComparison.Ordinal))
            ?? throw new BenchmarkException($"{symbols} has no section {Section}");
        var number = line[(line.IndexOf('[', StringComparison.Ordinal) + 1)..line.IndexOf(']', StringComparison.Ordinal)].Trim();
        // Num: Value Size Type Bind Vis Ndx Name
        return from row in (await Run.AsyncOrThrow("readelf", ["--symbols", "--wide", symbols])).Split('\n')
               let fields = row.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where fields.Length == 8 && fields[3] == "FUNC" && fields[6] == number
               select string.Create(CultureInfo.InvariantCulture, $"{fields[1]} {fields[7]}");
    }
}
