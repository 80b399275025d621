using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>A policyd-web over a store, on a unix socket; ended with this object.</summary>
internal sealed class PageServer : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(1);

    private readonly Process process;
    private readonly HttpClient http;

    private PageServer(Process process, HttpClient http)
    {
        this.process = process;
        this.http = http;
    }

    /// <summary>From before the process was made until the first page was here.</summary>
    internal TimeSpan FirstPage { get; private set; }

    /// <summary>Resident memory, shared pages of libraries included.</summary>
    internal long ResidentKiB => Status("VmRSS:");

    /// <summary>The most that was resident.</summary>
    internal long PeakKiB => Status("VmHWM:");

    /// <summary>Starts it on the core of the clients, so that policyd's is left alone.</summary>
    internal static async Task<PageServer> StartAsync(Bench bench, string configuration, string socket)
    {
        var clock = Stopwatch.StartNew();
        List<string> command = [.. Cores.Client, bench.Program("policyd-web"), "--config", configuration];
        var server = new PageServer(Run.Start(command[0], command[1..]), Client(socket));
        server.process.BeginOutputReadLine();
        var errors = server.process.StandardError.ReadToEndAsync();
        while (true)
        {
            try
            {
                await server.GetAsync("/");
                server.FirstPage = clock.Elapsed;
                return server;
            }
            catch (HttpRequestException failure) when (clock.Elapsed < StartDeadline && !server.process.HasExited)
            {
                _ = failure;
                await Task.Delay(1);
            }
            catch (HttpRequestException failure)
            {
                throw new BenchmarkException($"policyd-web shows nothing: {failure.Message}\n{(server.process.HasExited ? await errors : "")}", failure);
            }
        }
    }

    /// <summary>Asks for a page.</summary>
    /// <returns>Its octets and how long it took.</returns>
    internal async Task<(int Octets, TimeSpan Took)> GetAsync(string path)
    {
        var began = Stopwatch.GetTimestamp();
        var body = await http.GetByteArrayAsync(new Uri("http://localhost" + path));
        return (body.Length, Stopwatch.GetElapsedTime(began));
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            using var term = Process.Start("kill", process.Id.ToString(CultureInfo.InvariantCulture));
            await process.WaitForExitAsync();
        }

        process.Dispose();
        http.Dispose();
    }

    private static HttpClient Client(string path) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    private long Status(string field)
    {
        var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.Integer, CultureInfo.InvariantCulture);
    }
}
