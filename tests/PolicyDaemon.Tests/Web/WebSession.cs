using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Web.Hosting;

namespace PolicyDaemon.Tests.Web;

/// <summary>policyd-web in this process, on a unix socket of its own, and a client that asks it.</summary>
internal sealed class WebSession : IAsyncDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("policydaemon-");
    private readonly WebApplication app;
    private readonly ListeningSocket socket;

    private WebSession(string? database, TimeProvider time, string more)
    {
        Socket = Path.Combine(directory.FullName, "web.sock");
        Settings = SettingsReader.Parse(
            "test.conf",
            Encoding.UTF8.GetBytes($"[store]\ndatabase = {database ?? Path.Combine(directory.FullName, "policy.db")}\n[web]\nlisten = unix:{Socket}\n{more}\n"));
        socket = ListeningSocket.Open(Settings.Web);
        app = WebServer.Compose(Settings, socket, time, TextWriter.Null, TimeSpan.FromMinutes(1), () => null);
        Client = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri("http://localhost/"),
        };
    }

    internal Settings Settings { get; }

    internal string Socket { get; }

    internal HttpClient Client { get; }

    internal static async Task<WebSession> StartAsync(string? database = null, TimeProvider? time = null, string more = "")
    {
        var session = new WebSession(database, time ?? TimeProvider.System, more);
        await session.app.StartAsync();
        return session;
    }

    internal async Task<string> GetAsync(string path, System.Net.HttpStatusCode status = System.Net.HttpStatusCode.OK)
    {
        using var answer = await Client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Xunit.Assert.True(status == answer.StatusCode, $"{path}: {(int)answer.StatusCode}\n{text}");
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        socket.Dispose();
        directory.Delete(recursive: true);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var connection = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(connection, ownsSocket: true);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
