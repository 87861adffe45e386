//! `hublore serve`

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::sync::watch;

use super::{Failure, Global, listen_address, runtime};
use crate::app::App;
use crate::server::admin::AdminKey;
use crate::server::{Served, bind};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address to listen on instead of the one in the settings
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    listen: Option<SocketAddr>,
}

pub(super) fn run(global: &Global, serve: &Serve) -> Result<(), Failure> {
    let config = global.config()?;
    let app = global.app_to_serve(Arc::clone(&config))?;
    runtime()?.block_on(async {
        let listener = bind(serve.listen.unwrap_or(config.server.listen)).await.map_err(Failure::Failed)?;
        let address = listener.local_addr().map_err(Failure::failed)?;
        let served = served(&app, address)?;
        eprintln!("hublore: listening on http://{address}");
        if app.connector.connection(&app.reading.org).is_err() {
            eprintln!("hublore: no portal is connected yet; run `hublore connect` for the address to open");
        }
        let stop = stop_on_signal();
        served.serve(listener, stop).await;
        Ok(())
    })
}

/// What a server of `app` on `address` needs, known to the command line by a file in the data folder.
pub(super) fn served(app: &Arc<App>, address: SocketAddr) -> Result<Served, Failure> {
    let key =
        AdminKey::publish(&app.folder.server_file(), address, &app.reading.org).map_err(Failure::failed)?;
    Ok(Served::new(Arc::clone(app), key))
}

/// Turns true on the first interrupt or termination; a second interrupt ends the process at once.
pub(super) fn stop_on_signal() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        interrupted().await;
        let _ = stop.send(true);
        interrupted().await;
        std::process::exit(130);
    });
    stopped
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
