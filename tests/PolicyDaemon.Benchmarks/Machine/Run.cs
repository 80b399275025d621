using System.Diagnostics;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>Runs a program to its end.</summary>
internal static class Run
{
    /// <returns>Its standard output.</returns>
    /// <exception cref="BenchmarkException">It cannot be started or did not end with 0; the message has its errors.</exception>
    internal static async Task<string> AsyncOrThrow(string program, IReadOnlyList<string> arguments, string? input = null)
    {
        using var process = Start(program, arguments, input is not null);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await using var from = File.OpenRead(input);
            await from.CopyToAsync(process.StandardInput.BaseStream);
            process.StandardInput.Close();
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new BenchmarkException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await errors}{await output}");
    }

    internal static Process Start(string program, IReadOnlyList<string> arguments, bool hasInput = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = hasInput,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new BenchmarkException($"{program}: {missing.Message}; tests/install-packages bench installs what is needed", missing);
        }
    }
}
