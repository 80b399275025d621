using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PolicyDaemon.Tests.Cli;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>Real shells into which a person pastes a line. The policyctl and policyd on their PATH hand their words to this process, which runs them.</summary>
/// <remarks>They stand in a folder with a file for each letter and digit, so that brackets that are not quoted match one.</remarks>
internal sealed class PastingShells : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("policydaemon-paste").FullName;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<string, IReadOnlyList<string>, CliResult> run;
    private readonly Task serving;

    /// <param name="run">Runs a program with its words.</param>
    internal PastingShells(Func<string, IReadOnlyList<string>, CliResult> run)
    {
        this.run = run;
        listener.Start();
        Directory.CreateDirectory(Here);
        foreach (var name in "abcdefghijklmnopqrstuvwxyz0123456789:")
            File.WriteAllText(Path.Combine(Here, name.ToString()), "");
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        foreach (var program in (string[])["policyctl", "policyd"])
        {
            var file = Path.Combine(Directory.CreateDirectory(Bin).FullName, program);
            File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $$"""
                #!/bin/bash
                exec 3<>/dev/tcp/127.0.0.1/{{port}}
                printf '%s\0' "${0##*/}" "$#" "$@" >&3
                IFS= read -r code <&3
                cat <&3
                exit "$code"

                """));
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        serving = Task.Run(ServeAsync);
    }

    /// <summary>Each with the options that keep it from reading a person's own start files.</summary>
    private static readonly (string Name, string[] Options)[] Known = [("bash", ["--norc"]), ("zsh", ["-f"]), ("sh", [])];

    /// <summary>The one that every Debian machine has, and most people sit at.</summary>
    internal const string Everyday = "bash";

    /// <summary>Those that are installed here.</summary>
    internal static string[] Installed { get; } = [.. Known.Select(shell => shell.Name).Where(name => File.Exists("/bin/" + name) || File.Exists("/usr/bin/" + name))];

    internal static IEnumerable<string> Missing => Known.Select(shell => shell.Name).Except(Installed);

    private string Here => Path.Combine(folder, "here");

    private string Bin => Path.Combine(folder, "bin");

    /// <summary>Pastes a line; what it wrote is standard output and error together.</summary>
    internal async Task<(int Code, string Output)> PasteAsync(string shell, string line)
    {
        var start = new ProcessStartInfo(shell)
        {
            WorkingDirectory = Here, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var word in Known.First(known => known.Name == shell).Options.Concat(["-c", line]))
            start.ArgumentList.Add(word);
        start.Environment["PATH"] = Bin + ":/usr/bin:/bin";
        start.Environment["HOME"] = Here;
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var pasted = Process.Start(start)!;
        pasted.StandardInput.Close();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            var output = await Task.WhenAll(pasted.StandardOutput.ReadToEndAsync(deadline.Token), pasted.StandardError.ReadToEndAsync(deadline.Token));
            await pasted.WaitForExitAsync(deadline.Token);
            return (pasted.ExitCode, string.Concat(output));
        }
        catch (OperationCanceledException)
        {
            pasted.Kill(entireProcessTree: true);
            throw;
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(stop.Token);
            await using var stream = client.GetStream();
            var words = new List<string>();
            for (var wanted = 2; words.Count < wanted; wanted = words.Count < 2 ? 2 : 2 + int.Parse(words[1], CultureInfo.InvariantCulture))
                words.Add(await ReadWordAsync(stream));
            var result = run(words[0], words[2..]);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(int)result.Code}\n{result.Out}{result.Error}")), stop.Token);
        }
    }

    private async Task<string> ReadWordAsync(NetworkStream stream)
    {
        var octets = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, stop.Token) == 1 && one[0] != 0)
            octets.Add(one[0]);
        return Encoding.UTF8.GetString([.. octets]);
    }
}
